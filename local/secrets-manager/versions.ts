/** How versions and their staging labels move. */
import { AwsError } from '../platform.ts';
import type { SecretStore, SecretValue, SecretVersion } from './store.ts';

const unlabelledKept = 100;

const same = (a: SecretValue, b: SecretValue): boolean => a.string === b.string && a.binary === b.binary;

/**
 * Stores `value` as version `id` with `stages`. The same id with the same value changes nothing; with another
 * value it is a `ResourceExistsException`. Whoever loses AWSCURRENT becomes AWSPREVIOUS.
 */
export function putVersion(
  store: SecretStore,
  arn: string,
  id: string,
  value: SecretValue,
  stages: string[],
): void {
  const versions = store.versions(arn);
  const existing = versions.find((one) => one.id === id);
  if (existing) {
    if (same(existing.value, value)) return;
    throw new AwsError(
      'ResourceExistsException',
      `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${arn}.`,
    );
  }
  const labels = versions.length === 0 ? [...new Set(['AWSCURRENT', ...stages])] : stages;
  relabel(store, arn, versions, labels);
  store.addVersion(arn, { id, value, stages: labels });
  const unlabelled = store.versions(arn).filter((one) => one.stages.length === 0);
  for (const one of unlabelled.slice(0, -unlabelledKept)) store.removeVersion(arn, one.id);
}

function relabel(store: SecretStore, arn: string, versions: SecretVersion[], taken: string[]): void {
  const replacesCurrent = taken.includes('AWSCURRENT');
  for (const version of versions) {
    const kept = version.stages.filter(
      (stage) => !taken.includes(stage) && !(replacesCurrent && stage === 'AWSPREVIOUS'),
    );
    if (replacesCurrent && version.stages.includes('AWSCURRENT')) kept.push('AWSPREVIOUS');
    if (kept.join() !== version.stages.join()) store.setStages(arn, version.id, kept);
  }
}

/** The version a reader asks for: by id, by stage, or both when they agree; AWSCURRENT otherwise. */
export function findVersion(
  store: SecretStore,
  arn: string,
  id: string | undefined,
  stage: string | undefined,
): SecretVersion {
  const versions = store.versions(arn);
  const wanted = id === undefined ? (stage ?? 'AWSCURRENT') : stage;
  const found = versions.find(
    (one) => (id === undefined || one.id === id) && (wanted === undefined || one.stages.includes(wanted)),
  );
  if (found) return found;
  const missing =
    id !== undefined && stage !== undefined
      ? `You provided a VersionStage that is not associated to the provided VersionId.`
      : undefined;
  if (missing && versions.some((one) => one.id === id))
    throw new AwsError('InvalidRequestException', missing);
  throw new AwsError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${id === undefined ? `staging label: ${wanted}` : `VersionId: ${id}`}`,
  );
}
