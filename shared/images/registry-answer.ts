/** Registries' refusals as problems of the API. */
import { ProblemError } from '../http/problem.ts';
import type { ProblemCode } from '../http/problem-types.ts';
import { RegistryError, type RegistryErrorCode } from '../registry/model.ts';

/** `registry-…`: the registry's trouble, or one to try again; `image-…`: for the caller to correct. */
const problems: Record<RegistryErrorCode, ProblemCode> = {
  dns: 'registry-dns',
  tls: 'registry-tls',
  unreachable: 'registry-unreachable',
  'rate-limited': 'registry-rate-limited',
  'not-a-registry': 'registry-not-a-registry',
  corrupt: 'registry-corrupt',
  'too-large': 'registry-too-large',
  'refused-address': 'image-refused-address',
  'bad-credentials': 'image-bad-credentials',
  'no-pull': 'image-no-pull',
  'no-push': 'image-no-push',
  'no-platform': 'image-no-platform',
  'not-found': 'image-not-found',
  refused: 'image-refused',
};

/** What a registry refuses becomes a 422 problem that names the field. */
export async function registryAnswer<T>(
  pointer: string | ((code: RegistryErrorCode) => string),
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const retry = error.retryAfterSeconds;
    throw new ProblemError(
      422,
      problems[error.code],
      error.message,
      {
        errors: [
          { pointer: typeof pointer === 'string' ? pointer : pointer(error.code), message: error.message },
        ],
      },
      retry === undefined ? {} : { 'retry-after': String(retry) },
    );
  }
}
