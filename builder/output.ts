/** The build's log: what this process prints. Lines of Slipway's own begin with `[slipway]`; no program's do. */
import { StringDecoder } from 'node:string_decoder';

const longestLine = 200_000;

export const say = (text: string) => void process.stdout.write(`[slipway] ${text}\n`);

/** Cuts a program's output into lines, whatever its chunks and bytes. */
export function lineSplitter(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    while (rest.length > longestLine) {
      onLine(rest.slice(0, longestLine));
      rest = rest.slice(longestLine);
    }
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
  const [prefix = ''] = /^#\d+ (?:\d+\.\d+ )?/.exec(line) ?? [];
  return (
    prefix +
    (line
      .slice(prefix.length)
      .split('\r')
      .findLast((part) => part !== '') ?? '')
  );
}
