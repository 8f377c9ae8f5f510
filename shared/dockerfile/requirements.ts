/**
 * A `requirements.txt` as arguments of one `pip install`. There is no context to copy a file from, and arguments in
 * the exec form never meet a shell; so what only works in a file is refused, with its line.
 */

export class RequirementsError extends Error {
  readonly problems: { line: number; message: string }[];
  constructor(problems: RequirementsError['problems']) {
    super(problems.map(({ line, message }) => `line ${line}: ${message}`).join('; '));
    this.name = 'RequirementsError';
    this.problems = problems;
  }
}

const name = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?';
const extras = '(?:\\s*\\[[A-Za-z0-9._,\\s-]*\\])?';
const version = '\\s*(?:===|==|~=|!=|<=|>=|<|>)\\s*[A-Za-z0-9.*+!_-]+\\s*';
const marker = `(?:\\s*;[\\sA-Za-z0-9_.,<>=!~()'"+*-]+)?`;
const address = '(?:[a-z]+\\+)?https?://[^\\s"\\\\$`]+|git\\+ssh://[^\\s"\\\\$`]+';
const accepted = [
  new RegExp(`^${name}${extras}\\s*(?:\\(?${version}(?:,${version})*\\)?)?${marker}$`),
  new RegExp(`^${name}${extras}\\s*@\\s*(?:${address})${marker}$`),
  new RegExp(`^(?:${address})$`),
];
const flags = new Set(['--pre', '--prefer-binary', '--no-index']);
const options = new Set([
  '-i',
  '--index-url',
  '--extra-index-url',
  '-f',
  '--find-links',
  '--no-binary',
  '--only-binary',
  '--trusted-host',
]);

/** Never what pip could take for another option. */
const optionValue = /^[^-\s"\\$`][^\s"\\$`]*$/;

/** Throws `RequirementsError` with every line that can't be taken. */
export function pipArguments(requirements: string): string[] {
  const args: string[] = [];
  const problems: RequirementsError['problems'] = [];
  for (const { line, text } of joinedLines(requirements)) {
    const [first = '', ...rest] = text.split(/[\s=]+/);
    if (/\p{Cc}/u.test(text.replaceAll(/\s/g, '')))
      problems.push({ line, message: 'must not contain control characters' });
    else if (flags.has(text)) args.push(text);
    else if (options.has(first) && rest.length === 1 && optionValue.test(rest[0] ?? ''))
      args.push(first, rest[0] ?? '');
    else if (first === '-i' || first === '--index-url' || options.has(first)) {
      // An address may have `=` in it.
      const value = text.slice(first.length).replace(/^[\s=]+/, '');
      if (optionValue.test(value)) args.push(first, value);
      else problems.push({ line, message: `${first} must have one value` });
    } else if (text.startsWith('-')) problems.push({ line, message: whyNot(first) });
    else if (accepted.some((one) => one.test(text))) args.push(text);
    else if (/--hash[=\s]/.test(text)) problems.push({ line, message: whyNot('--hash') });
    else
      problems.push({
        line,
        message: `"${text.slice(0, 80)}" is not a requirement by name or URL`,
      });
  }
  if (problems.length > 0) throw new RequirementsError(problems);
  return args;
}

const whyNot = (option: string): string =>
  ['-r', '--requirement', '-c', '--constraint', '-e', '--editable'].includes(option)
    ? `${option} refers to another file. Upload a context and copy the file in a Dockerfile of your own instead`
    : option === '--hash'
      ? 'pip accepts hashes only in a file. Upload a context and copy the file in a Dockerfile of your own instead'
      : `${option.slice(0, 40)} is not supported here`;

/** Comments gone, continued lines joined, each with the number of its first line. */
function* joinedLines(text: string): Generator<{ line: number; text: string }> {
  let held: { line: number; text: string } | undefined;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const bare = raw.replace(/(?:^|\s)#.*$/, '').trim();
    const current: { line: number; text: string } = held
      ? { line: held.line, text: `${held.text} ${bare}`.trim() }
      : { line: index + 1, text: bare };
    if (current.text.endsWith('\\')) {
      held = { ...current, text: current.text.slice(0, -1).trim() };
      continue;
    }
    held = undefined;
    if (current.text !== '') yield current;
  }
  if (held && held.text !== '') yield held;
}
