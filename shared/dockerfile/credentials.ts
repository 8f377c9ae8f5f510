/** What looks like a credential: names that hold one, and values that are one. Values are never repeated in a message. */

const secretWords = new Set([
  'PASSWORD',
  'PASSWD',
  'PASSPHRASE',
  'PWD',
  'SECRET',
  'SECRETS',
  'TOKEN',
  'APIKEY',
  'CREDENTIAL',
  'CREDENTIALS',
]);
/** Said of a key, these make it a secret one. */
const keyWords = new Set(['API', 'ACCESS', 'SECRET', 'PRIVATE', 'AUTH', 'SIGNING', 'ENCRYPTION', 'LICENSE']);
/** Where a name ends so, the value is about a secret and not the secret. */
const harmlessEnds = new Set([
  'FILE',
  'PATH',
  'DIR',
  'NAME',
  'URL',
  'URI',
  'ARN',
  'ID',
  'TTL',
  'LENGTH',
  'LIMIT',
  'COUNT',
  'TYPE',
  'HEADER',
]);

/** Whether a variable of this name usually holds a credential: `HF_TOKEN`, `db-password`, `awsSecretAccessKey`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  // The shell's own.
  if (words.length === 1 && last === 'PWD') return false;
  if (harmlessEnds.has(last)) return false;
  if (last === 'KEY' && words.some((word) => keyWords.has(word))) return true;
  return words.some((word) => secretWords.has(word) || /PASSW(?:OR)?D$/.test(word));
}

/** Forms that only credentials have. Where one may begin anywhere it has an end: texts are long. */
const secretValues: [pattern: RegExp, what: string][] = [
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36,}/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{22,}/, 'a GitHub token'],
  [/\bglpat-[\w-]{20,}/, 'a GitLab token'],
  [/\bhf_[A-Za-z0-9]{30,}/, 'a Hugging Face token'],
  [/\bsk-(?:proj-|ant-)?(?=[\w-]{0,40}\d)[\w-]{20,}/, 'an API key'],
  [/\bnvapi-[\w-]{20,}/, 'an NVIDIA API key'],
  [/\bxox[abprs]-[\w-]{10,}/, 'a Slack token'],
  [/\bAIza[\w-]{35}/, 'a Google API key'],
  [/\bnpm_[A-Za-z0-9]{36}\b/, 'an npm token'],
  [/\bpypi-[\w-]{50,}/, 'a PyPI token'],
  [/\bslp_[\w.-]{20,}/, 'a Slipway token'],
  [/\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,}\.[\w-]+/, 'a signed token'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@$"']+:[^\s/@$"']+@/i, 'an address with a password'],
];

/** What the text has in it that only credentials look like; undefined for nothing. */
export const secretIn = (text: string): string | undefined =>
  secretValues.find(([pattern]) => pattern.test(text))?.[1];
