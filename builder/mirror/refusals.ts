/** What a registry says, in the codes of the job: which side it was decides what is to be done. */
import type { BuildFailureCode } from '../../shared/model/build-failures.ts';
import { RegistryError, type RegistryErrorCode } from '../../shared/registry/model.ts';
import { BuildError } from '../build-error.ts';

type Codes = Partial<Record<RegistryErrorCode, BuildFailureCode>>;

const sourceCodes: Codes = {
  'not-found': 'source-not-found',
  'no-platform': 'source-not-found',
  'bad-credentials': 'source-unauthorized',
  'no-pull': 'source-unauthorized',
  tls: 'registry-untrusted',
  'rate-limited': 'rate-limited',
  refused: 'source-unsupported',
  'too-large': 'source-unsupported',
};
const targetCodes: Codes = {
  'not-found': 'push-refused',
  'bad-credentials': 'push-unauthorized',
  'no-pull': 'push-unauthorized',
  'no-push': 'push-unauthorized',
  tls: 'registry-untrusted',
  'rate-limited': 'rate-limited',
  refused: 'push-refused',
  'too-large': 'push-refused',
};

const translated = (error: unknown, codes: Codes, otherwise: BuildFailureCode) =>
  error instanceof RegistryError
    ? new BuildError({ code: codes[error.code] ?? otherwise, message: error.message })
    : error;

/** Said in the registry's own words of what no other credentials would change. */
const isForAnybody = ({ code, status, message }: RegistryError) =>
  code === 'no-push' && (status === 405 || /\(.*(quota|storage|read.?only|archived).*\)$/i.test(message));

export const ofSource = (error: unknown) => translated(error, sourceCodes, 'source-unavailable');
export const ofTarget = (error: unknown) =>
  error instanceof RegistryError && isForAnybody(error)
    ? new BuildError({ code: 'push-refused', message: error.message })
    : translated(error, targetCodes, 'target-unavailable');

/** Runs `ask`; what the source's registry refuses is thrown as the job's failure. */
export const fromSource = <T>(ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => Promise.reject(ofSource(error)));
export const toTarget = <T>(ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => Promise.reject(ofTarget(error)));
