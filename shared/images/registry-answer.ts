/** Registries' refusals as problems of the API. */
import { ProblemError } from '../http/problem.ts';
import { RegistryError, type RegistryErrorCode } from '../registry/model.ts';

/** The registry's trouble, or ours to try again; everything else is the caller's to correct. */
const unavailable = new Set<RegistryErrorCode>([
  'dns',
  'tls',
  'unreachable',
  'rate-limited',
  'not-a-registry',
  'corrupt',
  'too-large',
]);

/** What a registry refuses becomes a 422 problem that names the field: `registry-<code>`, or `image-<code>`. */
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
      unavailable.has(error.code)
        ? `registry-${error.code}`
        : error.code === 'not-found'
          ? 'image-not-found'
          : `image-${error.code}`,
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
