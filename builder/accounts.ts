/** Whose credentials a registry refused, for who is to change them. */
import type { BuildFailure } from '../shared/model/build.ts';
import type { BuildSpec, CredentialsSource, JobSpec } from '../shared/model/build-spec.ts';
import type { ImageLocation } from '../shared/registry/reference.ts';
import { baseLocations } from './bases.ts';

/** `failure`, with the registry whose stored credentials were of no use to it. */
export function withAccount(failure: BuildFailure, spec: JobSpec | undefined): BuildFailure {
  const account = spec && refusedAccount(failure, spec);
  return account?.kind === 'secret' && account.registryId !== undefined
    ? { ...failure, registryId: account.registryId }
    : failure;
}

function refusedAccount({ code, message }: BuildFailure, spec: JobSpec): CredentialsSource | undefined {
  if (spec.kind === 'mirror') return code === 'source-unauthorized' ? spec.source.credentials : undefined;
  if (spec.kind === 'validation') return code === 'source-unauthorized' ? spec.image.credentials : undefined;
  if (code !== 'base-image-unauthorized') return undefined;
  // Our words have the reference as the Dockerfile has it; an engine's have the whole name.
  const named = baseLocations(spec).filter(
    ({ reference, location }) =>
      message.includes(reference) || message.includes(`${location.host}/${location.repository}`),
  );
  const [longest] = named.sort((a, b) => b.reference.length - a.reference.length);
  return longest && accountFor(spec, longest.location);
}

/** As the engine is given them: one for each host, and those of bases that it has no room for. */
function accountFor(
  { registries, otherAccounts = [] }: BuildSpec,
  { host, repository }: ImageLocation,
): CredentialsSource | undefined {
  const other = otherAccounts.find((one) => one.credentials.host === host && one.repository === repository);
  return other?.credentials ?? registries.find((one) => one.host === host);
}
