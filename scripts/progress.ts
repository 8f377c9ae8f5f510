/**
 * What the scripts print. A task that takes longer than a second says so and keeps saying so: on a terminal in one
 * line that moves, elsewhere (a pipe, CI) as a line every few seconds.
 */
import { stripVTControlCharacters } from 'node:util';

const TITLE_COLUMNS = 14;
const REPEAT_SECONDS = 5;

export type Detail = (text: string) => void;

const onTerminal = (): boolean => process.stdout.isTTY === true && process.env.TERM !== 'dumb';

/** Seconds for people: `0.4 s`, `12 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export const heading = (text: string): void => say(`\n${bold(text)}`);
export const say = (text: string): void => void process.stdout.write(`${text}\n`);

const coloured = (): boolean => onTerminal() && !process.env.NO_COLOR;
const bold = (text: string): string => (coloured() ? `\u001b[1m${text}\u001b[0m` : text);
export const dim = (text: string): string => (coloured() ? `\u001b[2m${text}\u001b[0m` : text);

/** Control characters would move the cursor of whoever reads a log. */
export const printable = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, ' ');

/**
 * Runs `work` under a title, and prints one line when it is done: title, outcome, time.
 * `work` may call `detail` with what it is doing right now.
 */
export async function task<T>(
  title: string,
  work: (detail: Detail) => Promise<T>,
  outcome: (value: T) => string = () => '',
): Promise<T> {
  const started = performance.now();
  const column = title.padEnd(TITLE_COLUMNS);
  let current = '';
  let lastPrinted = started;
  const tick = () => {
    const elapsed = performance.now() - started;
    if (elapsed < 1000) return;
    const line = `  ${column}  ${dim(duration(elapsed).padStart(6))}  ${printable(current)}`;
    if (onTerminal()) {
      process.stdout.write(`\r\u001b[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
    } else if (lastPrinted === started || performance.now() - lastPrinted > REPEAT_SECONDS * 1000) {
      lastPrinted = performance.now();
      say(line);
    }
  };
  const timer = setInterval(tick, onTerminal() ? 200 : 1000);
  try {
    const value = await work((text) => {
      current = text;
    });
    clear();
    say(`  ${column}  ${outcome(value)}  ${dim(`(${duration(performance.now() - started)})`)}`);
    return value;
  } catch (error) {
    clear();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const clear = (): void => {
  if (onTerminal()) process.stdout.write('\r\u001b[K');
};
