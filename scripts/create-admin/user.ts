/** A person in the deployment's Cognito user pool. */
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  type AttributeType,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';

/** The `sub` of whoever has this address; invited by Cognito's mail, with a first password, if nobody has. */
export async function findOrCreateUser(userPoolId: string, email: string): Promise<string> {
  const cognito = new CognitoIdentityProviderClient({});
  try {
    const { User } = await cognito.send(
      new AdminCreateUserCommand({
        UserPoolId: userPoolId,
        Username: email,
        DesiredDeliveryMediums: ['EMAIL'],
        UserAttributes: [
          { Name: 'email', Value: email },
          { Name: 'email_verified', Value: 'true' },
        ],
      }),
    );
    return subjectIn(User?.Attributes);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UsernameExistsException') throw error;
  }
  const known = await cognito.send(new AdminGetUserCommand({ UserPoolId: userPoolId, Username: email }));
  return subjectIn(known.UserAttributes);
}

function subjectIn(attributes: AttributeType[] = []): string {
  const subject = attributes.find((one) => one.Name === 'sub')?.Value;
  if (!subject) throw new Error('Cognito gave no `sub` for this person.');
  return subject;
}
