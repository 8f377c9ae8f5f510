/** What the builder gets, whatever kind of job it is. */
import type { JobSpec, MirrorSpec, ValidationSpec } from '../model/build-spec.ts';
import {
  isMirror,
  isValidation,
  type JobRequest,
  type MirrorRequest,
  type ValidationRequest,
} from './job-request.ts';
import type { BuildRecord } from './record.ts';
import { credentialsOf, jobOf, ownRepositories, type SpecSources, specOf } from './spec.ts';

export function jobSpecOf(record: BuildRecord, request: JobRequest, sources: SpecSources): JobSpec {
  if (isMirror(request)) return mirrorSpecOf(record, request, sources);
  if (isValidation(request)) return validationSpecOf(record, request, sources);
  return specOf(record, request, sources);
}

/** Repositories of the deployment's own ECR that the job will push to. */
export function repositoriesOf(spec: JobSpec, ecrRegistry: string): string[] {
  if (spec.kind === 'build') return ownRepositories(spec, ecrRegistry);
  return spec.kind === 'mirror' && spec.target.host === ecrRegistry ? [spec.target.repository] : [];
}

/** The repository with its own credentials: a host may have several registries, with one account each. */
function withCredentials<T extends { host: string; repository: string }>(side: T, sources: SpecSources) {
  const [credentials] = credentialsOf([side], sources);
  return { ...side, ...(credentials ? { credentials } : {}) };
}

const mirrorSpecOf = (
  record: BuildRecord,
  { source, target, platform, force }: MirrorRequest,
  sources: SpecSources,
): MirrorSpec => ({
  ...jobOf(record, sources),
  kind: 'mirror',
  source: withCredentials(source, sources),
  target: withCredentials(target, sources),
  ...(platform === undefined ? {} : { platform }),
  force,
});

const validationSpecOf = (
  record: BuildRecord,
  { image, checks }: ValidationRequest,
  sources: SpecSources,
): ValidationSpec => ({
  ...jobOf(record, sources),
  kind: 'validation',
  image: withCredentials(image, sources),
  checks,
});
