/** People in the deployment's own Cognito user pool. */
import {
  AdminCreateUserCommand,
  type AdminCreateUserCommandInput,
  AdminGetUserCommand,
  type AttributeType,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';

/**
 * Answers the `sub` of whoever has this address. Cognito invites them by mail, with a first password, if nobody has, and
 * (unless `again` is false) once more if they never signed in: first passwords end after a week.
 */
export type InviteUser = (email: string, again?: boolean) => Promise<InvitedUser>;

export interface InvitedUser {
  /** `sub` in their tokens. */
  subject: string;
  /** Whether they chose a password of their own, so that they are known here. */
  hasSignedIn: boolean;
}

export function createUserPool(
  userPoolId: string,
  client: CognitoIdentityProviderClient = new CognitoIdentityProviderClient({}),
): InviteUser {
  const create = (email: string, action: Pick<AdminCreateUserCommandInput, 'MessageAction'>) =>
    client.send(
      new AdminCreateUserCommand({
        UserPoolId: userPoolId,
        Username: email,
        DesiredDeliveryMediums: ['EMAIL'],
        UserAttributes: [
          { Name: 'email', Value: email },
          { Name: 'email_verified', Value: 'true' },
        ],
        ...action,
      }),
    );
  return async (email, again = true) => {
    try {
      const { User } = await create(email, {});
      return { subject: subjectIn(User?.Attributes), hasSignedIn: false };
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'UsernameExistsException') throw error;
    }
    const known = await client.send(new AdminGetUserCommand({ UserPoolId: userPoolId, Username: email }));
    const hasSignedIn = known.UserStatus !== 'FORCE_CHANGE_PASSWORD';
    if (again && !hasSignedIn) await create(email, { MessageAction: 'RESEND' });
    return { subject: subjectIn(known.UserAttributes), hasSignedIn };
  };
}

function subjectIn(attributes: AttributeType[] = []): string {
  const subject = attributes.find((one) => one.Name === 'sub')?.Value;
  if (!subject) throw new Error('Cognito gave no `sub` for this person');
  return subject;
}
