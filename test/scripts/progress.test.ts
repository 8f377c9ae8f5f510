import { expect, it } from 'vitest';
import { CommandError, run } from '../../scripts/command.ts';
import { duration, printable } from '../../scripts/progress.ts';

it.each([
  [40, '0.0 s'],
  [9949, '9.9 s'],
  [9951, '10 s'],
  [119_400, '119 s'],
  [125_000, '2 min 5 s'],
  [3_599_900, '60 min 0 s'],
])('%d ms is %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

it('what a log prints cannot move the cursor of whoever reads it', () => {
  expect(printable('\u001b[31mred\u001b[0m \u001b]0;title\u0007 a\rb\u0008c')).not.toMatch(/\p{Cc}/u);
});

it('a program that fails is quoted with its last lines', async () => {
  const failing = run('sh', ['-c', 'echo one; echo two >&2; exit 3']);
  await expect(failing).rejects.toThrow(/exit code 3: .*two/);
  await expect(failing).rejects.toBeInstanceOf(CommandError);
});

it('a program that does not exist is an error of its own', async () => {
  await expect(run('/no/such/program', [])).rejects.toThrow(/ENOENT/);
});
