/** B4: what to think of a failure and what to do about it, in the same words in mails and in answers. */
import type { BuildFailure, BuildKind } from '../model/build.ts';
import { buildFailures, type Explanation, ofGenerated } from '../model/build-failures.ts';
import type { BuildRecord } from './record.ts';

interface Advice {
  likelyCause: string;
  howToRetry: string;
}

type Job = Pick<BuildRecord, 'kind' | 'imageId' | 'sourceImageId' | 'registryId' | 'isGenerated'>;

/** How each kind of job is asked for once more. */
const again: Record<BuildKind, (job: Job) => string> = {
  build: ({ imageId }) => `build again (POST /v1/images/${imageId}/builds; omitted fields keep their values)`,
  mirror: ({ imageId, sourceImageId = imageId }) => `mirror again (POST /v1/images/${sourceImageId}/mirrors)`,
  validation: ({ imageId }) => `check again (POST /v1/images/${imageId}/validations)`,
};

/** Names image and registry of the job by their ids, ready to be copied. */
export function adviceOn(job: Job, { code, registryId }: Pick<BuildFailure, 'code' | 'registryId'>): Advice {
  const explanation: Explanation = (job.isGenerated && ofGenerated[code]) || buildFailures[code];
  const retry = (registryId !== undefined && explanation.retryWithAccount) || explanation.retry;
  const put: Record<string, string> = {
    again: again[job.kind](job),
    image: job.imageId,
    registry: job.registryId,
    account: registryId ?? '',
  };
  const filled = retry.replace(/\{(again|image|registry|account)\}/g, (_, name: string) => put[name] ?? '');
  return { likelyCause: explanation.cause, howToRetry: filled.charAt(0).toUpperCase() + filled.slice(1) };
}
