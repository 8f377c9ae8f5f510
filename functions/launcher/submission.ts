/** What the state machine submits: small, since the overrides of a job end at 8192 characters. */
import { createHash } from 'node:crypto';
import { jobQueueName } from '../../shared/experiment/find-job.ts';
import type { Attempt, ExperimentRecord } from '../../shared/experiment/record.ts';
import { jobName } from '../../shared/experiment/report.ts';
import type { RunCompute } from '../../shared/model/stage.ts';

export interface Submission {
  jobName: string;
  jobQueue: string;
  jobDefinition: string;
  shareIdentifier: string;
  timeoutSeconds: number;
  environment: { Name: string; Value: string }[];
  tags: Record<string, string>;
}

export type Next = { next: 'submit'; submit: Submission } | { next: 'end' };
export const end: Next = { next: 'end' };

export interface SubmissionPlace {
  stage: string;
  organisation: string;
  compute: RunCompute;
  /** Base address of the API. */
  apiUrl: string;
}

/** The submission of an attempt that was just opened. */
export function submissionOf(
  record: ExperimentRecord,
  attempt: Attempt,
  { stage, organisation, compute, apiUrl }: SubmissionPlace,
): Next {
  const { id, jobDefinition } = record;
  if (jobDefinition === undefined) throw new Error(`experiment ${id} has no job definition`);
  const environment = {
    SLIPWAY_JOB_ID: id,
    SLIPWAY_JOB_TYPE: 'experiment',
    SLIPWAY_JOB_NAME: record.name,
    SLIPWAY_JOB_ATTEMPT: String(attempt.number),
    SLIPWAY_ORGANISATION: organisation,
    SLIPWAY_PROJECT: record.project ?? '',
    SLIPWAY_EMAIL: record.author,
    SLIPWAY_IMAGE: record.image.uri ?? '',
    SLIPWAY_COMPUTE: compute.name,
    SLIPWAY_COMPUTE_CPU: compute.vcpus.toFixed(1),
    SLIPWAY_COMPUTE_MEMORY: (compute.memoryMiB / 1024).toFixed(1),
    SLIPWAY_COMPUTE_GPU: String(compute.gpus),
    SLIPWAY_API: apiUrl,
  };
  return {
    next: 'submit',
    submit: {
      jobName: jobName(id, attempt.number),
      jobQueue: jobQueueName(stage, organisation, attempt.queue),
      jobDefinition,
      shareIdentifier: shareIdentifier(record.author),
      timeoutSeconds: record.timeoutSeconds,
      environment: Object.entries(environment).map(([Name, Value]) => ({ Name, Value })),
      tags: { 'slipway:organisation': organisation, 'slipway:experiment': id },
    },
  };
}

/** Hosts are shared fairly between people: at most 256 identifiers, of the 500 that a queue may have. */
function shareIdentifier(author: string): string {
  return `person${createHash('sha256').update(author).digest('hex').slice(0, 2)}`;
}
