/** B8: which version of each base image a build is made from, looked up before it is accepted. */
import type { RegistryAccess } from '../registry/access.ts';
import { RegistryError } from '../registry/model.ts';
import {
  formatReference,
  type ImageLocation,
  InvalidReferenceError,
  parseLocation,
  referenceOf,
} from '../registry/reference.ts';
import { type Condition, ConditionFailedError, type Table, type Write } from '../store/table.ts';

export interface BaseDigests {
  /** By the reference as the Dockerfile has it, arguments put in. */
  digests: Record<string, string>;
  /** What couldn't be looked up: the build runs, with whatever the engine finds, and is not shared. */
  unknown: UnknownBase[];
}

interface UnknownBase {
  reference: string;
  reason: string;
  /** It is not there, as opposed to: nobody could say. */
  isMissing: boolean;
}

export interface BasesDependencies {
  table: Table;
  access: RegistryAccess;
  now: () => Date;
}

const keptSeconds = 60;
/** Of one request, however many bases there are: they are asked for at the same time. */
const patienceMs = 10_000;

export async function lookUpBases(
  dependencies: BasesDependencies,
  organisation: string,
  references: readonly string[],
): Promise<BaseDigests> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LookUpError('the registry did not answer in time')), patienceMs);
  });
  late.catch(() => undefined);
  try {
    const looked = await Promise.all(
      references.map((reference) =>
        lookUp(reference, [digestOf(dependencies, organisation, reference), late]),
      ),
    );
    // In the order of the Dockerfile, whichever registry answered first.
    return {
      digests: Object.fromEntries(
        looked.flatMap((one) => ('digest' in one ? [[one.reference, one.digest]] : [])),
      ),
      unknown: looked.flatMap((one) => ('digest' in one ? [] : [one])),
    };
  } finally {
    clearTimeout(timer);
  }
}

async function lookUp(
  reference: string,
  answers: Promise<string>[],
): Promise<UnknownBase | { reference: string; digest: string }> {
  try {
    return { reference, digest: await Promise.race(answers) };
  } catch (error) {
    const isKnown = [LookUpError, RegistryError, InvalidReferenceError].some((one) => error instanceof one);
    if (!isKnown) throw error;
    return { reference, reason: (error as Error).message, isMissing: error instanceof MissingBaseError };
  }
}

class LookUpError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LookUpError';
  }
}

class MissingBaseError extends LookUpError {
  override name = 'MissingBaseError';
}

/** Asked for at most once a minute by an organisation, with the credentials of the longest matching registry. */
async function digestOf(
  { table, access, now }: BasesDependencies,
  organisation: string,
  reference: string,
): Promise<string> {
  const location = parseLocation(reference);
  if (location.digest) return location.digest;
  const { host, repository } = location;
  const tag = referenceOf(location);
  const key = keyOf(location);
  const time = now().getTime();
  const kept = await table.get(organisation, 'base-digests', key);
  if (kept?.digest !== undefined && Number(kept.lookedUpAt) > time - keptSeconds * 1000)
    return String(kept.digest);
  const client = await access.clientFor(organisation, host, repository);
  const manifest = await client.headManifest(repository, tag);
  if (!manifest) throw new MissingBaseError(`${key} does not exist or requires credentials`);
  const found = { digest: manifest.digest, ...keptFrom(time) };
  try {
    await table.put(organisation, 'base-digests', key, found, noneSince(time));
  } catch (error) {
    // Somebody else asked later, or a build has moved the tag: then this answer is nobody else's.
    if (!(error instanceof ConditionFailedError)) throw error;
  }
  return manifest.digest;
}

/** To be written with the end of what may have pushed `uri`: whoever builds on it from now on asks the registry. */
export const forgetDigest = (table: Table, organisation: string, uri: string, now: Date): Write => ({
  Put: {
    TableName: table.name,
    // Not a deletion: a look-up that began before the push must not put back what it was told.
    Item: {
      ...table.key(organisation, 'base-digests', keyOf(parseLocation(uri))),
      ...keptFrom(now.getTime()),
    },
  },
});

const keyOf = (location: ImageLocation) => {
  const { host, repository } = location;
  return formatReference({ host, repository, tag: referenceOf(location) });
};

const keptFrom = (time: number) => ({
  lookedUpAt: time,
  expiresAt: Math.floor(time / 1000) + keptSeconds * 2,
});

const noneSince = (time: number): Condition => ({
  expression: 'attribute_not_exists(pk) OR lookedUpAt <= :time',
  values: { ':time': time },
});
