/** Declared user pools and app clients. */
import { createHash } from 'node:crypto';
import { AwsError, type DeclaredResource } from '../platform.ts';

export interface PasswordPolicy {
  minLength: number;
  lowercase: boolean;
  uppercase: boolean;
  numbers: boolean;
  symbols: boolean;
  temporaryDays: number;
}

export interface Client {
  id: string;
  poolId: string;
  flows: string[];
  hidesMissingUsers: boolean;
  accessSeconds: number;
  idSeconds: number;
  refreshSeconds: number;
}

export interface Pool {
  id: string;
  arn: string;
  name: string;
  /** Users sign in by their email; their username is their `sub`. */
  byEmail: boolean;
  caseSensitive: boolean;
  selfSignUp: boolean;
  policy: PasswordPolicy;
  invitation: { subject: string; text: string };
}

const unitSeconds: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/** `length` lower-case letters and digits, the same at every start. */
export function stableId(declared: { stack: string; logicalId: string }, length: number): string {
  const digest = createHash('sha512').update(`${declared.stack}/${declared.logicalId}`).digest();
  return Array.from(digest.subarray(0, length), (byte) => (byte % 36).toString(36)).join('');
}

/** Reads an `AWS::Cognito::UserPool`. */
export function readPool({ physicalId, attributes, properties = {} }: DeclaredResource): Pool {
  const policy = properties.Policies?.PasswordPolicy ?? {};
  const template = properties.AdminCreateUserConfig?.InviteMessageTemplate ?? {};
  return {
    id: physicalId,
    arn: attributes.Arn ?? '',
    name: properties.UserPoolName ?? physicalId,
    byEmail: [...(properties.UsernameAttributes ?? []), ...(properties.AliasAttributes ?? [])].includes(
      'email',
    ),
    caseSensitive: properties.UsernameConfiguration?.CaseSensitive !== false,
    selfSignUp: properties.AdminCreateUserConfig?.AllowAdminCreateUserOnly !== true,
    policy: {
      minLength: Number(policy.MinimumLength ?? 8),
      lowercase: policy.RequireLowercase !== false,
      uppercase: policy.RequireUppercase !== false,
      numbers: policy.RequireNumbers !== false,
      symbols: policy.RequireSymbols !== false,
      temporaryDays: Number(policy.TemporaryPasswordValidityDays ?? 7),
    },
    invitation: {
      subject: template.EmailSubject ?? 'Your temporary password',
      text: template.EmailMessage ?? 'Your username is {username} and temporary password is {####}',
    },
  };
}

/** Reads an `AWS::Cognito::UserPoolClient`. Throws an Error for clients with a secret, which have no use here. */
export function readClient({ logicalId, physicalId, properties = {} }: DeclaredResource): Client {
  if (properties.GenerateSecret)
    throw new Error(`${logicalId}: the embedded cloud does not support app clients with a secret.`);
  const units = properties.TokenValidityUnits ?? {};
  const seconds = (value: unknown, unit: unknown, otherwise: number, usualUnit: string): number =>
    value === undefined ? otherwise : Number(value) * (unitSeconds[String(unit ?? usualUnit)] ?? 1);
  return {
    id: physicalId,
    poolId: properties.UserPoolId,
    flows: properties.ExplicitAuthFlows ?? [
      'ALLOW_REFRESH_TOKEN_AUTH',
      'ALLOW_USER_SRP_AUTH',
      'ALLOW_CUSTOM_AUTH',
    ],
    hidesMissingUsers: properties.PreventUserExistenceErrors === 'ENABLED',
    accessSeconds: seconds(properties.AccessTokenValidity, units.AccessToken, 3600, 'hours'),
    idSeconds: seconds(properties.IdTokenValidity, units.IdToken, 3600, 'hours'),
    refreshSeconds: seconds(properties.RefreshTokenValidity, units.RefreshToken, 30 * 86_400, 'days'),
  };
}

/** Throws `InvalidPasswordException` naming the first rule that a password breaks. */
export function checkPassword(policy: PasswordPolicy, password: string): void {
  const rules: [boolean, string][] = [
    [password.length >= policy.minLength, 'Password not long enough'],
    [password.length <= 256, 'Password too long'],
    [!policy.lowercase || /[a-z]/.test(password), 'Password must have lowercase characters'],
    [!policy.uppercase || /[A-Z]/.test(password), 'Password must have uppercase characters'],
    [!policy.numbers || /\d/.test(password), 'Password must have numeric characters'],
    [
      !policy.symbols || /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/.test(password),
      'Password must have symbol characters',
    ],
    [password === password.trim(), 'Password must not begin or end with a space'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken)
    throw new AwsError(
      'InvalidPasswordException',
      `Password did not conform with password policy: ${broken[1]}`,
    );
}
