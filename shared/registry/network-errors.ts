/** Why a connection failed, told apart as a person would want to know it (R9). */
import { RegistryError } from './model.ts';

const tlsCodes =
  /^(?:CERT_|ERR_TLS|ERR_SSL|EPROTO$|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_|HOSTNAME_MISMATCH$)/;

/** `why` completes a sentence that begins with the host. */
export const unreachable = (host: string, why: string) =>
  new RegistryError('unreachable', host, `${host} ${why}`);

/** `error` as a `RegistryError`; one that is one already stays. */
export function classified(error: unknown, host: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const { code = '', message } = firstOf(error);
  if (/^(?:ENOTFOUND|EAI_)/.test(code))
    return new RegistryError('dns', host, `${host} does not resolve to an address`, {
      cause: error,
    });
  if (tlsCodes.test(code))
    return new RegistryError('tls', host, `${host}: TLS failed (${tlsReason(error, message)})`, {
      cause: error,
    });
  return new RegistryError('unreachable', host, `Slipway cannot reach ${host} (${code || message})`, {
    cause: error,
  });
}

/**
 * What may be over in a minute. A name that doesn't resolve is mostly mistyped; a resolver may be down. Who is asked too
 * often isn't asked again: how long to wait is for whoever wanted it to know.
 */
export function isPassing({ code, cause }: RegistryError): boolean {
  if (code === 'dns') return (cause as NodeJS.ErrnoException | undefined)?.code === 'EAI_AGAIN';
  return code === 'unreachable';
}

/** OpenSSL's own words have file names and line numbers in them. */
const tlsReason = (error: unknown, message: string): string =>
  spokePlainHttp(error)
    ? 'the host uses plain HTTP'
    : (message.split('\n')[0] ?? '').replace(/^.*SSL routines:/, '').slice(0, 200);

/** Several addresses tried in a row fail with one error each. */
function firstOf(error: unknown): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first : new Error(String(first));
}

/** Whether the other side answered a TLS greeting in plain text. */
export function spokePlainHttp(error: unknown): boolean {
  const cause = error instanceof RegistryError ? error.cause : error;
  const { code = '', message = '' } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {};
  return (
    code === 'EPROTO' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    /wrong version number|packet length too long/i.test(message)
  );
}
