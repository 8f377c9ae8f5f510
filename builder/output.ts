/** The build's log: what this process prints. Lines of Slipway's own begin with `[slipway]`; no program's do. */
import { StringDecoder } from 'node:string_decoder';
import { firstCut } from '../shared/text/cut.ts';

/** Less than 256 KiB in any script: CloudWatch would cut longer ones itself. */
const longestLine = 65_536;

/** BuildKit's own, which tells a step's output from what Slipway says. */
const stepPrefix = /^#\d{1,9} (?:\d{1,9}\.\d{1,9} )?/;
const prefixOf = (line: string) => stepPrefix.exec(line)?.[0] ?? '';

export const say = (text: string) => void process.stdout.write(`[slipway] ${text}\n`);

/**
 * Cuts a program's output into lines, whatever its chunks and bytes. Each piece of a line that is too long begins with
 * the prefix of its step: no output of a step is ever taken for a line of Slipway's own.
 */
export function lineSplitter(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split('\n');
    const open = lines.pop() ?? '';
    for (const line of lines) onLine(cut(line));
    rest = cut(open);
  };
  /** Answers the last piece. */
  const cut = (line: string) => {
    const prefix = prefixOf(line);
    let last = line;
    while (last.length > longestLine) {
      const end = firstCut(last, longestLine);
      onLine(last.slice(0, end));
      last = prefix + last.slice(end);
    }
    return last;
  };
  return {
    write: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

/** What a terminal would show of a line that was overwritten with carriage returns, behind BuildKit's own prefix. */
export function shown(line: string): string {
  if (!line.includes('\r')) return line;
  const prefix = prefixOf(line);
  return (
    prefix +
    (line
      .slice(prefix.length)
      .split('\r')
      .findLast((part) => part !== '') ?? '')
  );
}
