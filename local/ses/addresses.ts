/** Addresses as SES takes them, and the identities that may send. */
import addressparser from 'nodemailer/lib/addressparser';
import { AwsError } from '../platform.ts';

export const badRequest = (message: string): AwsError => new AwsError('BadRequestException', message, 400);

/** The bare address of `Name <user@host>` or `user@host`. Throws `BadRequestException` on anything else. */
export function bareAddress(text: string): string {
  if (/\p{Cc}/u.test(text)) throw badRequest('Local address contains control or whitespace');
  const [parsed, ...more] = addressparser(text, { flatten: true });
  const address = parsed?.address ?? '';
  if (more.length > 0) throw badRequest(`Expected one address, not several: '${text}'`);
  if (!address.includes('@')) throw badRequest("Missing final '@domain'");
  if (!/^[\x21-\x7e]+@[A-Za-z0-9.-]+$/.test(address) || /[<>()[\],;:\s]/.test(address))
    throw badRequest(`Illegal address: '${text}'`);
  if (address.length > 320) throw badRequest('Address is longer than 320 characters');
  return address;
}

/** The identity under which an address may send: itself, its domain, or a domain above. */
export function identityFor(address: string, identities: ReadonlyMap<string, unknown>): string | undefined {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1).toLowerCase();
  // Domains are the same in any case, what is before the @ is not.
  if (identities.has(`${local}@${domain}`)) return `${local}@${domain}`;
  const labels = domain.split('.');
  return labels.map((_, index) => labels.slice(index).join('.')).find((one) => identities.has(one));
}
