/** The README and the guides, typed as a person would: their shell commands, from top to bottom, in one shell. */
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, inject } from 'vitest';
import { ensurePythonBase } from '../../scripts/base-image.ts';
import { type CommandError, run } from '../../scripts/command.ts';
import { ensureEngine } from '../../scripts/engine.ts';

/** What a document has to be typed at one place. */
interface Block {
  /** The heading of second level that it stands below. */
  heading: string;
  commands: string;
  /** What each line that it says is printed has to look like, in its order. */
  forms: RegExp[];
}

/** The shell commands of a document, in its order. */
export async function blocksOf(path: string): Promise<Block[]> {
  const blocks: Block[] = [];
  let below = '';
  const parts = /^## ([^\n]+)$|^```sh\n(.*?)^```$(?:\n\n```\n(.*?)\n```$)?/gms;
  for (const [, heading, commands = '', output] of (await readFile(path, 'utf8')).matchAll(parts)) {
    if (heading !== undefined) {
      below = heading;
      continue;
    }
    const beside = [...commands.matchAll(/ # → (.+)$/gm)].map(([, line = '']) => formOf(line));
    // Sizes, times and ports are others each time.
    const underneath = output?.split('\n').map((line) => formOf(line, /\d+/g)) ?? [];
    blocks.push({ heading: below, commands, forms: [...beside, ...underneath] });
  }
  return blocks;
}

function formOf(line: string, varying = /(?!)/g): RegExp {
  const literal = line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(varying, '\\d+').replaceAll('…', '.*')}$`);
}

/** The session of the README that the guides go on with. */
export async function firstSession(): Promise<Block[]> {
  return (await blocksOf('README.md')).filter(({ heading }) => heading === 'A first session');
}

/** So a guide marks a block, for its readers too, that wants what not everybody has, such as the Internet. */
export const needsMore = ({ commands }: Block) => commands.startsWith('# needs ');

/** What is marked as refused has to be: whatever else is refused ends the session. */
const asMarked = (commands: string) =>
  commands.replace(/^(.*\S) +# refused$/gm, 'if $1; then echo "This was not refused."; exit 1; fi');

const mark = (index: number) => `--- block ${index} ---\n`;

/**
 * Types the blocks in order, as an admin of acme, and returns what was printed for those below a heading. Fails the
 * test where a command fails, where an answer is a refusal that no command looked at, and where a line that is said to
 * be printed isn't.
 */
export async function typed(blocks: Block[]): Promise<(heading: string) => string> {
  const base = await ensurePythonBase(await ensureEngine(), inject('cloud'), 'acme', () => {});
  const folder = await mkdtemp(join(tmpdir(), 'slipway-typed-'));
  try {
    await symlink(inject('home'), join(folder, '.slipway'));
    await symlink(resolve('examples'), join(folder, 'examples'));
    const script = blocks.flatMap(({ heading, commands }, index) => [
      `below='${heading.replaceAll("'", "'\\''")}'; printf '\\n${mark(index).trim()}\\n'`,
      asMarked(commands).replaceAll('/tmp/', `${folder}/`),
    ]);
    script.unshift('exec 2>&1', `trap 'echo "Below \\"$below\\" this failed: $BASH_COMMAND"' ERR`);
    const output = await run('bash', ['-Eeuo', 'pipefail', '-c', script.join('\n')], {
      cwd: folder,
      env: { BASE: base.reference },
      timeoutSeconds: 540,
    }).catch((error: CommandError) => {
      throw new Error(`${error.message}, behind\n${error.output.slice(-4000)}`);
    });
    const printed = blocks.map(
      (_, index) => output.split(mark(index))[1]?.split(`\n${mark(index + 1)}`)[0] ?? '',
    );
    for (const [index, block] of blocks.entries()) expectAll(block, printed[index] ?? '');
    return (heading) => printed.filter((_, index) => blocks[index]?.heading === heading).join('\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function expectAll({ heading, forms }: Block, printed: string): void {
  expect(printed, heading).not.toMatch(/"type":"urn:slipway:problem:|^\{"message":|^<Error>/m);
  const lines = printed.split('\n');
  for (const form of forms) {
    const at = lines.findIndex((line) => form.test(line));
    expect(at, `Below "${heading}" no line is ${form} in\n${lines.join('\n')}`).not.toBe(-1);
    // Others may stand between, but each has a line of its own.
    lines.splice(0, at + 1);
  }
}
