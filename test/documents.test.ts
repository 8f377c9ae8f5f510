/** Documents lead where they say: to files that exist, headings that are there, and decisions with a number each. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const documents = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');

const withoutCode = (text: string) => text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, 'code');

/** The anchors that GitHub gives to the headings of a document. */
const anchorsOf = (text: string) =>
  [...text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

function brokenLinks(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const there = file ? join(dirname(path), file) : path;
    if (!existsSync(there)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(there, 'utf8')).includes(anchor);
  });
}

describe.each(documents)('%s', (path) => {
  it('has no broken links', () => expect(brokenLinks(path)).toEqual([]));

  it('has no marks of a merge', () =>
    expect(readFileSync(path, 'utf8')).not.toMatch(/^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/m));
});

it('gives each decision a number of its own, which is also that of its title', () => {
  const decisions = documents.filter((path) => /^docs\/adr\/\d/.test(path));
  const numbers = decisions.map((path) => Number(basename(path).slice(0, 4)));
  expect(decisions.length).toBeGreaterThan(30);
  expect(numbers).toEqual([...new Set(numbers)]);
  for (const [index, path] of decisions.entries())
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^# ${numbers[index]}\\. \\S`));
});
