/** Statistics and the table that every benchmark fills: what was measured, beside what, and the goal it has to meet. */

export interface Row {
  what: string;
  measured: string;
  /** What it stands beside, measured in the same run. */
  beside: string;
  goal: string;
  met: boolean;
}

export interface Section {
  title: string;
  /** How it was measured, one or two sentences. */
  how: string;
  rows: Row[];
  /** What the numbers don't show by themselves. */
  notes?: string[];
}

export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values: number[]) => quantile(values, 0.5);

export const ms = (value: number) =>
  value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(2)} ms`;
export const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

export function markdown({ title, how, rows, notes = [] }: Section): string {
  const lines = rows.map(
    (r) => `| ${r.what} | ${r.measured} | ${r.beside} | ${r.goal} | ${r.met ? 'yes' : '**no**'} |`,
  );
  return [
    `## ${title}`,
    '',
    how,
    '',
    '| | measured | beside | goal | met |',
    '|---|---|---|---|---|',
    ...lines,
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
    '',
  ].join('\n');
}

/** Runs `a` and `b` in turn so that a drifting machine drifts for both; gives each one's milliseconds. */
export async function inTurn(
  times: number,
  a: (i: number) => Promise<unknown>,
  b: (i: number) => Promise<unknown>,
): Promise<{ a: number[]; b: number[] }> {
  const result = { a: [] as number[], b: [] as number[] };
  for (let i = 0; i < times; i++) {
    result.a.push(await timed(() => a(i)));
    result.b.push(await timed(() => b(i)));
  }
  return result;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
