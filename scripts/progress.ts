/**
 * What the scripts print. A task that takes longer than a second says so and keeps saying so: on a terminal in one
 * line that moves, elsewhere (a pipe, CI) as a line every few seconds of silence.
 */
import { createInterface } from 'node:readline/promises';
import { stripVTControlCharacters } from 'node:util';

const TITLE_COLUMNS = 14;
const REPEAT_MS = 5000;

export type Detail = (text: string) => void;

const onTerminal = (): boolean => process.stdout.isTTY === true && process.env.TERM !== 'dumb';
const coloured = (): boolean => onTerminal() && !process.env.NO_COLOR;

let movingLine = false;
let lastOutputAt = 0;
let asking = false;

/** One line of output. */
export function say(text = ''): void {
  clearMovingLine();
  process.stdout.write(`${text}\n`);
  lastOutputAt = performance.now();
}

export const heading = (text: string): void => say(`\n${bold(text)}`);
const bold = (text: string): string => (coloured() ? `\u001b[1m${text}\u001b[0m` : text);
export const dim = (text: string): string => (coloured() ? `\u001b[2m${text}\u001b[0m` : text);

/** Control characters would move the cursor of whoever reads a log. */
export const printable = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, ' ');

/** Seconds for people: `0.4 s`, `12 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Asks on the terminal and returns the answer; undefined without a terminal, where nobody could answer. */
export async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  clearMovingLine();
  asking = true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.once('SIGINT', () => process.exit(130));
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
    asking = false;
  }
}

/**
 * Runs `work` under a title, and prints one line when it is done: title, outcome, time.
 * `work` may call `detail` with what it is doing right now, and `say` for lines that stay.
 */
export async function task<T>(
  title: string,
  work: (detail: Detail) => Promise<T>,
  outcome: (value: T) => string = () => '',
): Promise<T> {
  const started = performance.now();
  const column = title.padEnd(TITLE_COLUMNS);
  let current = '';
  const tick = () => {
    const now = performance.now();
    if (now - started < 1000 || asking) return;
    const line = `  ${column}  ${duration(now - started).padStart(6)}  ${printable(current)}`;
    if (onTerminal()) showMovingLine(line);
    else if (now - Math.max(lastOutputAt, started) > REPEAT_MS) say(line);
  };
  const timer = setInterval(tick, onTerminal() ? 200 : 1000);
  try {
    const value = await work((text) => {
      current = text;
    });
    say(`  ${column}  ${outcome(value)} ${dim(`(${duration(performance.now() - started)})`)}`);
    return value;
  } finally {
    clearInterval(timer);
    clearMovingLine();
  }
}

function showMovingLine(line: string): void {
  movingLine = true;
  process.stdout.write(`\r\u001b[K${dim(line.slice(0, (process.stdout.columns ?? 80) - 1))}`);
}

function clearMovingLine(): void {
  if (movingLine) process.stdout.write('\r\u001b[K');
  movingLine = false;
}
