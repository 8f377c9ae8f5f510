/** What each type of registry expects of its URL and credentials (R1, R8); the names are those of the request's fields. */
import type { FieldError } from '../../shared/http/problem.ts';
import type { RegistryType } from '../../shared/model/registry.ts';
import { dockerHub } from '../../shared/registry/reference.ts';
import type { RegistryUrl } from '../../shared/registry/url.ts';

export interface Asked {
  type: RegistryType;
  url: RegistryUrl;
  visibility: 'public' | 'private';
  username?: string | undefined;
  /** Absent where an update leaves it alone. */
  password?: string | undefined;
}

export interface Own {
  organisation: string;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
}

/** Every rule that `asked` breaks, with the field's pointer. */
export function brokenRules(asked: Asked, own: Own): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (field: string, message: string) => errors.push({ pointer: `/${field}`, message });
  const { type, url, visibility, username, password } = asked;
  const { host, path } = url;
  if (host === own.ecrRegistry && !isOwnSpace(path, own.organisation))
    refuse('url', `lies outside your own space, ${own.ecrRegistry}/${own.organisation}`);
  // By the host, whatever the type: it decides what the credentials are.
  const isOtherEcr = isEcr(host) && host !== own.ecrRegistry;
  if (isOtherEcr && !username)
    refuse('username', "is AWS, with a token as password: the deployment's role only reaches its own ECR");
  if ((isOtherEcr || type === 'ecr') && username && username !== 'AWS')
    refuse('username', 'is AWS for ECR, with a token as password');
  if (host === ngc && visibility === 'private' && !username)
    refuse(
      'username',
      'is $oauthtoken for a private registry of NGC, with an API key as password; without them it is public',
    );
  if (host === ngc && username && username !== '$oauthtoken')
    refuse('username', 'is $oauthtoken for NGC, with an API key as password');
  if (password && username === googleKeyUser) googleKey(password, refuse);
  else if (password && /[\r\n]$/.test(password))
    refuse('password', 'ends with a line break, which is no part of any password: leave it out');
  switch (type) {
    case 'slipway':
      if (host !== own.ecrRegistry)
        refuse('url', `is not this deployment's own registry, ${own.ecrRegistry}`);
      if (username) refuse('username', "is not needed: the deployment's own role is used");
      break;
    case 'dockerhub':
      if (host !== dockerHub) refuse('url', 'is not Docker Hub (docker.io)');
      break;
    case 'nvidia':
      if (host !== ngc) refuse('url', 'is not NGC (nvcr.io)');
      break;
    case 'ecr':
      if (!isEcr(host) && host !== own.ecrRegistry)
        refuse('url', 'is not an ECR registry (<account>.dkr.ecr.<region>.amazonaws.com)');
      break;
    case 'gcr':
      if (!/(?:^|\.)gcr\.io$|\.pkg\.dev$/.test(host))
        refuse('url', 'is not a Google registry (gcr.io or pkg.dev)');
      break;
    case 'acr':
      if (!/\.azurecr\.(?:io|cn|us)$/.test(host))
        refuse('url', 'is not an Azure registry (<name>.azurecr.io)');
      break;
    default:
  }
  return errors;
}

/** What is worth knowing about credentials that are fine as such. In the own ECR they count for nothing. */
export const credentialWarnings = (
  { host, username }: { host: string; username?: string | undefined },
  { ecrRegistry }: Pick<Own, 'ecrRegistry'>,
): string[] =>
  isEcr(host) && host !== ecrRegistry && username
    ? ['ECR tokens end after 12 hours: renew the password in time.']
    : [];

const ngc = 'nvcr.io';
const googleKeyUser = '_json_key';

const isOwnSpace = (path: string, organisation: string): boolean => `${path}/`.startsWith(`${organisation}/`);

const isEcr = (host: string): boolean => /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(host);

function googleKey(password: string, refuse: (field: string, message: string) => void): void {
  try {
    const key: unknown = JSON.parse(password);
    if (typeof key === 'object' && key !== null && 'private_key' in key) return;
    refuse('password', 'is not a service account key: it has no private_key');
  } catch {
    const looksEncoded =
      /^[A-Za-z0-9+/=\s]+$/.test(password) && /^\s*\{/.test(Buffer.from(password, 'base64').toString());
    refuse(
      'password',
      looksEncoded
        ? 'is base64: _json_key takes the key file as it is, raw JSON'
        : 'is not the JSON of a service account key file',
    );
  }
}
