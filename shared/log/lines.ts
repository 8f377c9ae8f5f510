/** From what a log stream holds to lines a person reads. */
import type { LogLine } from '../model/common.ts';
import { firstCut } from '../text/cut.ts';
import type { LogSource, SourceEvent } from './source.ts';

/** Longer lines are cut into several: a page of the log must fit into one answer. */
const longestLine = 65_536;

/**
 * The lines of `events`, and whether the source's end marker was among them; nothing after it counts.
 * An event may hold several lines, or one without its line end. Of a line that was overwritten with carriage
 * returns (progress bars), what a terminal would show at the end remains.
 */
export function linesOf(events: SourceEvent[], source: LogSource): { lines: LogLine[]; ended: boolean } {
  const lines: LogLine[] = [];
  for (const { timestamp, message } of events) {
    const time = new Date(timestamp).toISOString();
    const parts = message.split('\n');
    if (parts.length > 1 && parts.at(-1) === '') parts.pop();
    for (const part of parts) {
      const whole = visible(part).toWellFormed();
      if (source.endMarker !== undefined && whole === source.endMarker) return { lines, ended: true };
      const stream = source.streamOf?.(whole) ?? 'output';
      for (const text of pieces(whole))
        lines.push({
          time,
          stream,
          ...(source.attempt === undefined ? {} : { attempt: source.attempt }),
          text,
        });
    }
  }
  return { lines, ended: false };
}

function visible(line: string): string {
  if (!line.includes('\r')) return line;
  return line.split('\r').findLast((part) => part !== '') ?? '';
}

function pieces(text: string): string[] {
  const cut: string[] = [];
  let rest = text;
  do {
    const end = firstCut(rest, longestLine);
    cut.push(rest.slice(0, end));
    rest = rest.slice(end);
  } while (rest !== '');
  return cut;
}
