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
    refuse('url', `must lie within your organisation's space, ${own.ecrRegistry}/${own.organisation}`);
  // By the host, whatever the type: it decides what the credentials are.
  const isOtherEcr = isEcr(host) && host !== own.ecrRegistry;
  if (isOtherEcr && !username)
    refuse(
      'username',
      "must be `AWS`, with a token as the password: the deployment's role can only reach its own ECR",
    );
  if ((isOtherEcr || type === 'ecr') && username && username !== 'AWS')
    refuse('username', 'must be `AWS` for ECR, with a token as the password');
  if (host === ngc && visibility === 'private' && !username)
    refuse(
      'username',
      'must be `$oauthtoken` for a private NGC registry, with an API key as the password; a public one needs neither',
    );
  if (host === ngc && username && username !== '$oauthtoken')
    refuse('username', 'must be `$oauthtoken` for NGC, with an API key as the password');
  if (password && username === googleKeyUser) googleKey(password, refuse);
  else if (password && /[\r\n]$/.test(password)) refuse('password', 'must not end with a line break');
  switch (type) {
    case 'slipway':
      if (host !== own.ecrRegistry)
        refuse('url', `must be this deployment's own registry, ${own.ecrRegistry}`);
      if (username) refuse('username', "must be omitted: Slipway uses the deployment's own role");
      break;
    case 'dockerhub':
      if (host !== dockerHub) refuse('url', 'must be Docker Hub (docker.io)');
      break;
    case 'nvidia':
      if (host !== ngc) refuse('url', 'must be NGC (nvcr.io)');
      break;
    case 'ecr':
      if (!isEcr(host) && host !== own.ecrRegistry)
        refuse('url', 'must be an ECR registry (<account>.dkr.ecr.<region>.amazonaws.com)');
      break;
    case 'gcr':
      if (!/(?:^|\.)gcr\.io$|\.pkg\.dev$/.test(host))
        refuse('url', 'must be a Google registry (gcr.io or pkg.dev)');
      break;
    case 'acr':
      if (!/\.azurecr\.(?:io|cn|us)$/.test(host))
        refuse('url', 'must be an Azure registry (<name>.azurecr.io)');
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
    ? ['ECR tokens expire after 12 hours. Update the password before then.']
    : [];

const ngc = 'nvcr.io';
const googleKeyUser = '_json_key';

const isOwnSpace = (path: string, organisation: string): boolean => `${path}/`.startsWith(`${organisation}/`);

const isEcr = (host: string): boolean => /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(host);

function googleKey(password: string, refuse: (field: string, message: string) => void): void {
  try {
    const key: unknown = JSON.parse(password);
    if (typeof key === 'object' && key !== null && 'private_key' in key) return;
    refuse('password', 'must be a service account key; this one has no private_key');
  } catch {
    const looksEncoded =
      /^[A-Za-z0-9+/=\s]+$/.test(password) && /^\s*\{/.test(Buffer.from(password, 'base64').toString());
    refuse(
      'password',
      looksEncoded
        ? 'must be the raw JSON of the key file, not base64'
        : 'must be the JSON of a service account key file',
    );
  }
}
