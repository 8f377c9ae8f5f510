/** How bad a vulnerability is, in ECR's words. */

export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNDEFINED'] as const;
export type Severity = (typeof severities)[number];

/** Metrics of a CVSS 3 vector that make its base score. */
const weights: Record<string, Record<string, number>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
/** Privileges weigh more where the scope changes. */
const privileges: Record<string, [unchanged: number, changed: number]> = {
  N: [0.85, 0.85],
  L: [0.62, 0.68],
  H: [0.27, 0.5],
};

/** The least number with one decimal that is not below `score`, computed as the specification does. */
const roundUp = (score: number): number => {
  const whole = Math.round(score * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
};

/** Base score of a CVSS 3.0 or 3.1 vector; undefined for any other text. */
export function baseScore(vector: string): number | undefined {
  const [version = '', ...metrics] = vector.split('/');
  if (!version.startsWith('CVSS:3.')) return undefined;
  const values = Object.fromEntries(metrics.map((metric) => metric.split(':') as [string, string]));
  const isChanged = values.S === 'C';
  const of = (metric: string) => weights[metric]?.[values[metric] ?? ''];
  const privilege = privileges[values.PR ?? '']?.[isChanged ? 1 : 0];
  const [vectorWeight, complexity, interaction] = [of('AV'), of('AC'), of('UI')];
  const [confidentiality, integrity, availability] = [of('C'), of('I'), of('A')];
  const all = [vectorWeight, complexity, interaction, privilege, confidentiality, integrity, availability];
  if (all.some((one) => one === undefined)) return undefined;
  const [av, ac, ui, pr, c, i, a] = all as [number, number, number, number, number, number, number];
  const base = 1 - (1 - c) * (1 - i) * (1 - a);
  const impact = isChanged ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  if (impact <= 0) return 0;
  return roundUp(Math.min(10, (isChanged ? 1.08 : 1) * (impact + 8.22 * av * ac * pr * ui)));
}

/** The words that distributions and OSV's databases use. */
const words: Record<string, Severity> = {
  critical: 'CRITICAL',
  high: 'HIGH',
  important: 'HIGH',
  medium: 'MEDIUM',
  moderate: 'MEDIUM',
  low: 'LOW',
  negligible: 'INFORMATIONAL',
  unimportant: 'INFORMATIONAL',
};

/** By the score where there is one, else by the word. */
export function severityOf(vectors: string[], word: string | undefined): Severity {
  const scores = vectors.map(baseScore).filter((score) => score !== undefined);
  if (scores.length === 0) return words[word?.toLowerCase() ?? ''] ?? 'UNDEFINED';
  const score = Math.max(...scores);
  if (score >= 9) return 'CRITICAL';
  if (score >= 7) return 'HIGH';
  if (score >= 4) return 'MEDIUM';
  return score > 0 ? 'LOW' : 'INFORMATIONAL';
}
