"""Runs commands of the AWS CLI, lists of words on standard input, in one process, and prints what became of each."""
import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver

outcomes = []
for words in json.load(sys.stdin):
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            code = create_clidriver().main(words)
        except SystemExit as end:
            code = end.code
    outcomes.append({"code": code, "output": output.buffer.getvalue().decode()})
json.dump(outcomes, sys.stdout)
