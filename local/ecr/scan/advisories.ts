/** Advisories in the OSV format, from a folder: which of them concern a distribution's packages. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import type { Distribution } from './packages.ts';
import { type Severity, severities, severityOf } from './severity.ts';
import { type Comparison, compareAlpine, compareDebian } from './versions.ts';

export interface Finding {
  name: string;
  severity: Severity;
  packageName: string;
  packageVersion: string;
  description?: string;
  uri?: string;
}

const word = z.object({ severity: z.string().optional(), urgency: z.string().optional() }).nullish();
const scored = z.array(z.object({ type: z.string(), score: z.string() })).nullish();
const event = z.object({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
});
const advisorySchema = z.object({
  id: z.string(),
  summary: z.string().optional(),
  details: z.string().optional(),
  aliases: z.array(z.string()).nullish(),
  upstream: z.array(z.string()).nullish(),
  withdrawn: z.string().nullish(),
  severity: scored,
  database_specific: word,
  references: z.array(z.object({ type: z.string(), url: z.string() })).nullish(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: z.string(), name: z.string() }).optional(),
        ranges: z.array(z.object({ type: z.string(), events: z.array(event) })).nullish(),
        versions: z.array(z.string()).nullish(),
        severity: scored,
        ecosystem_specific: word,
      }),
    )
    .nullish(),
});
type Advisory = z.infer<typeof advisorySchema>;
type Affected = NonNullable<Advisory['affected']>[number];

interface Ecosystem {
  /** As OSV names it: `Debian:12`, `Alpine:v3.20`, `Ubuntu:22.04`. */
  name: string;
  compare: Comparison;
}

/** Undefined for a distribution whose packages can't be compared here. */
export function ecosystemOf({ id, version }: Pick<Distribution, 'id' | 'version'>): Ecosystem | undefined {
  if (id === 'debian') return { name: `Debian:${version}`, compare: compareDebian };
  if (id === 'ubuntu') return { name: `Ubuntu:${version}`, compare: compareDebian };
  const [, release] = /^(\d+\.\d+)/.exec(version) ?? [];
  return id === 'alpine' && release ? { name: `Alpine:v${release}`, compare: compareAlpine } : undefined;
}

/** The worst first. Files that are no advisories are refused with their name. */
export async function findVulnerabilities(
  folder: string,
  ecosystem: Ecosystem,
  { packages }: Pick<Distribution, 'packages'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of (await readdir(folder, { recursive: true })).filter((one) => one.endsWith('.json'))) {
    const parsed = advisorySchema.safeParse(await json(createReadStream(join(folder, name))));
    if (!parsed.success)
      throw new Error(`${name} in the folder SLIPWAY_ADVISORIES is not an advisory in the OSV format`);
    if (!parsed.data.withdrawn) findings.push(...concerned(parsed.data, ecosystem, packages));
  }
  const rank = ({ severity }: Finding) => severities.indexOf(severity);
  return findings.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function concerned(
  advisory: Advisory,
  { name: ecosystem, compare }: Ecosystem,
  packages: Distribution['packages'],
): Finding[] {
  const { id, aliases, upstream, summary, details, references } = advisory;
  const isOurs = (affected: Affected) =>
    // Ubuntu's end in `:LTS`; Debian's may leave the release out, which means every one.
    [ecosystem, `${ecosystem}:LTS`, ecosystem.split(':')[0]].includes(affected.package?.ecosystem);
  return (advisory.affected ?? []).filter(isOurs).flatMap((affected) =>
    packages
      .filter(
        ({ name, version }) => name === affected.package?.name && isAffected(affected, version, compare),
      )
      .map(({ name, version }) => {
        const description = details ?? summary;
        const uri = references?.find(({ type }) => type === 'ADVISORY')?.url ?? references?.[0]?.url;
        const known = [id, ...(aliases ?? []), ...(upstream ?? [])].find((one) => one.startsWith('CVE-'));
        return {
          name: known ?? id,
          severity: severityOf(
            [...(affected.severity ?? []), ...(advisory.severity ?? [])].map(({ score }) => score),
            affected.ecosystem_specific?.urgency ??
              affected.ecosystem_specific?.severity ??
              advisory.database_specific?.severity,
          ),
          packageName: name,
          packageVersion: version,
          ...(description ? { description } : {}),
          ...(uri ? { uri } : {}),
        };
      }),
  );
}

/** OSV's rule: listed by itself, or introduced before and neither fixed nor past the last affected version since. */
function isAffected({ versions, ranges }: Affected, version: string, compare: Comparison): boolean {
  if (versions?.includes(version)) return true;
  return (ranges ?? []).some(({ type, events }) => {
    if (type !== 'ECOSYSTEM') return false;
    let affected = false;
    for (const { introduced, fixed, last_affected } of events.toSorted((a, b) => inOrder(a, b, compare))) {
      if (introduced === '0' || (introduced && compare(introduced, version) <= 0)) affected = true;
      if (fixed && compare(fixed, version) <= 0) affected = false;
      if (last_affected && compare(last_affected, version) < 0) affected = false;
    }
    return affected;
  });
}

type RangeEvent = z.infer<typeof event>;

/** `0` is before every version, whatever the comparison says of it. */
function inOrder(a: RangeEvent, b: RangeEvent, compare: Comparison): number {
  const [x, y] = [a, b].map(
    ({ introduced, fixed, last_affected }) => introduced ?? fixed ?? last_affected ?? '0',
  );
  if (x === '0' || y === '0') return x === y ? 0 : x === '0' ? -1 : 1;
  return compare(x ?? '', y ?? '');
}
