/** Access to what identifies people: the token key and the user pool. */
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';

/** Read the key that Slipway's own tokens are hashed with. */
export function tokenKey({ tokenKeySecretArn }: Deployment): Access {
  return { actions: ['secretsmanager:GetSecretValue'], resources: [tokenKeySecretArn] };
}

/** Invite members into the deployment's own user pool; nothing where the operator's issuer does that. */
export function userPoolMembers({ userPoolArn }: Deployment): Access[] {
  if (!userPoolArn) return [];
  return [
    {
      actions: [
        'cognito-idp:AdminCreateUser',
        'cognito-idp:AdminGetUser',
        'cognito-idp:AdminSetUserPassword',
      ],
      resources: [userPoolArn],
    },
  ];
}
