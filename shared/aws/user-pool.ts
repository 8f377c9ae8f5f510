/** People in the deployment's own Cognito user pool. */
import { randomBytes } from 'node:crypto';
import {
  AdminCreateUserCommand,
  type AdminCreateUserCommandInput,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  type AttributeType,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';

export interface PoolUser {
  /** `sub` in their tokens. */
  subject: string;
  /** Whether they chose a password of their own, so that they are known here. */
  hasSignedIn: boolean;
  /** The password for their first sign-in, where one was set just now. Cognito accepts it for a week. */
  firstPassword?: string;
}

export interface UserPool {
  /**
   * The person who has this address, added if the pool has nobody. One who never signed in gets another first password,
   * unless `renew` is false. Mails nothing.
   */
  ensure(email: string, renew?: boolean): Promise<PoolUser>;
  /** Has Cognito mail the pool's own invitation to a person who never signed in, with another first password. */
  mailInvitation(email: string): Promise<void>;
}

export function createUserPool(
  userPoolId: string,
  client: CognitoIdentityProviderClient = new CognitoIdentityProviderClient({}),
): UserPool {
  const create = (email: string, more: Partial<AdminCreateUserCommandInput>) =>
    client.send(
      new AdminCreateUserCommand({
        UserPoolId: userPoolId,
        Username: email,
        DesiredDeliveryMediums: ['EMAIL'],
        UserAttributes: [
          { Name: 'email', Value: email },
          { Name: 'email_verified', Value: 'true' },
        ],
        ...more,
      }),
    );
  return {
    async ensure(email, renew = true) {
      const firstPassword = newPassword();
      try {
        const { User } = await create(email, { MessageAction: 'SUPPRESS', TemporaryPassword: firstPassword });
        return { subject: subjectIn(User?.Attributes), hasSignedIn: false, firstPassword };
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'UsernameExistsException') throw error;
      }
      const place = { UserPoolId: userPoolId, Username: email };
      const known = await client.send(new AdminGetUserCommand(place));
      const hasSignedIn = known.UserStatus !== 'FORCE_CHANGE_PASSWORD';
      const subject = subjectIn(known.UserAttributes);
      if (hasSignedIn || !renew) return { subject, hasSignedIn };
      await client.send(
        new AdminSetUserPasswordCommand({ ...place, Password: firstPassword, Permanent: false }),
      );
      return { subject, hasSignedIn, firstPassword };
    },
    async mailInvitation(email) {
      await create(email, { MessageAction: 'RESEND' });
    },
  };
}

/** 96 random bits, with a character of each kind that the pool's policy asks for. */
const newPassword = (): string => `${randomBytes(12).toString('base64url')}-aA1`;

function subjectIn(attributes: AttributeType[] = []): string {
  const subject = attributes.find((one) => one.Name === 'sub')?.Value;
  if (!subject) throw new Error('Cognito gave no `sub` for this person');
  return subject;
}
