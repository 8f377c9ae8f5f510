/** What the jobs beside builds were asked to do: mirrors (I7) and validations (I10, I11). */
import { createHash } from 'node:crypto';
import type { BuildKind } from '../model/build.ts';
import type { ValidationCheck } from '../model/validation.ts';
import { putWrite } from '../store/advance.ts';
import { absent, type Item, type Table, type Write } from '../store/table.ts';
import { type BuildRequest, identityOf } from './request.ts';

export interface MirrorRequest extends Item {
  kind: 'mirror';
  computes: string[];
  /** Image that is mirrored, in the organisation's table. */
  sourceImageId: string;
  /** `digest` is what the tag named then. */
  source: { host: string; repository: string; tag: string; digest: string };
  target: { host: string; repository: string; tag: string };
  platform?: string;
  force: boolean;
}

export interface ValidationRequest extends Item {
  kind: 'validation';
  computes: string[];
  image: { host: string; repository: string; digest: string };
  checks: ValidationCheck[];
}

export type JobRequest = BuildRequest | MirrorRequest | ValidationRequest;

export const isMirror = (request: JobRequest): request is MirrorRequest => request.kind === 'mirror';
export const isValidation = (request: JobRequest): request is ValidationRequest =>
  request.kind === 'validation';

export const isBuild = (request: JobRequest): request is BuildRequest => request.kind === undefined;

export const kindOf = (request: JobRequest): BuildKind => request.kind ?? 'build';

/** SHA-256 over what the job works on. Where it runs means nothing. */
export function identityOfJob(request: JobRequest): string {
  if (isBuild(request)) return identityOf(request);
  const parts = isMirror(request)
    ? [request.kind, request.source, request.target, request.platform ?? null]
    : [request.kind, request.image, [...request.checks].sort()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export const jobRequestWrite = (
  table: Table,
  organisation: string,
  buildId: string,
  request: JobRequest,
): Write => putWrite(table, { ...request, ...table.key(organisation, 'build-requests', buildId) }, absent);

/** Of a job of any kind. */
export async function readJobRequest(
  table: Table,
  organisation: string,
  buildId: string,
): Promise<JobRequest | undefined> {
  return (await table.get(organisation, 'build-requests', buildId)) as JobRequest | undefined;
}
