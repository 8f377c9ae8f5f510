/** STS: who am I, and another role for those whom its trust policy names. */
import type { Credentials } from './iam/credentials.ts';
import type { Roles } from './iam/roles.ts';
import { AwsError, type Cloud, type Principal, type QueryCall, type Service } from './platform.ts';

const defaultSeconds = 3600;

export interface StsParts {
  roles: Pick<Roles, 'admits'>;
  credentials: Pick<Credentials, 'issueSession'>;
}

const invalid = (message: string): AwsError => new AwsError('ValidationError', message, 400);

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const xml = (text: string): string => text.replace(/[&<>]/g, (one) => entities[one] ?? one);

/** STS of the one account. */
export function createSts(cloud: Cloud, { roles, credentials }: StsParts): Service {
  const roleId = (name: string): string =>
    `AROA${Buffer.from(name).toString('hex').slice(0, 16).toUpperCase()}`;

  function identity(principal: Principal): { arn: string; userId: string } {
    if (principal.kind !== 'role') return { arn: principal.arn, userId: cloud.accountId };
    const name = principal.arn.slice(principal.arn.lastIndexOf('/') + 1);
    return {
      arn: `arn:aws:sts::${cloud.accountId}:assumed-role/${name}/${principal.sessionName}`,
      userId: `${roleId(name)}:${principal.sessionName}`,
    };
  }

  function getCallerIdentity(call: QueryCall): string {
    const { arn, userId } = identity(call.principal);
    return `<Arn>${xml(arn)}</Arn><UserId>${xml(userId)}</UserId><Account>${cloud.accountId}</Account>`;
  }

  /** A trust policy that names the caller is enough; one that names the account leaves it to the caller's own policy. */
  function checkTrust(call: QueryCall, roleArn: string): void {
    const account = [`arn:aws:iam::${cloud.accountId}:root`, cloud.accountId];
    const names = [call.principal.arn, identity(call.principal).arn];
    if (roles.admits(roleArn, 'AWS', names)) return;
    if (roles.admits(roleArn, 'AWS', account)) {
      call.authorize('sts:AssumeRole', roleArn);
      return;
    }
    throw new AwsError(
      'AccessDenied',
      `User: ${identity(call.principal).arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      403,
    );
  }

  function assumeRole(call: QueryCall): string {
    const { form } = call;
    const roleArn = form.get('RoleArn') ?? '';
    const sessionName = form.get('RoleSessionName') ?? '';
    const seconds = Number(form.get('DurationSeconds') ?? defaultSeconds);
    if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn)) throw invalid(`${roleArn} is invalid`);
    if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
      throw invalid(
        "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}",
      );
    if (!Number.isInteger(seconds) || seconds < 900)
      throw invalid(
        "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
      );
    if (seconds > defaultSeconds)
      throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    const narrowing = [...form.keys()].find((name) =>
      /^(Policy|PolicyArns|Tags|TransitiveTagKeys|SerialNumber|ExternalId|SourceIdentity)/.test(name),
    );
    if (narrowing)
      throw new AwsError(
        'UnsupportedOperation',
        `The embedded cloud does not implement ${narrowing} of AssumeRole.`,
        400,
      );
    checkTrust(call, roleArn);
    const { kind, origin = call.principal.sessionName } = call.principal;
    const issued = credentials.issueSession(
      roleArn,
      sessionName,
      seconds,
      kind === 'role' ? origin : undefined,
    );
    const assumed = identity({ arn: roleArn, kind: 'role', sessionName });
    return `<Credentials><AccessKeyId>${issued.accessKeyId}</AccessKeyId><SecretAccessKey>${xml(issued.secretAccessKey)}</SecretAccessKey><SessionToken>${xml(issued.sessionToken)}</SessionToken><Expiration>${issued.expiration.toISOString()}</Expiration></Credentials><AssumedRoleUser><Arn>${xml(assumed.arn)}</Arn><AssumedRoleId>${xml(assumed.userId)}</AssumedRoleId></AssumedRoleUser>`;
  }

  return {
    signingName: 'sts',
    queryOperations: { GetCallerIdentity: getCallerIdentity, AssumeRole: assumeRole },
  };
}
