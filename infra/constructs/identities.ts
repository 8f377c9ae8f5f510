import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccountRecovery,
  ClientAttributes,
  FeaturePlan,
  Mfa,
  UserPool,
  type UserPoolClient,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { Stage } from '../../shared/model/stage.ts';
import type { Names } from '../names.ts';

export interface IdentitiesProps {
  stage: Stage;
  names: Names;
  removalPolicy: RemovalPolicy;
}

/** Who signs people in: the operator's own OIDC issuer where one is configured, a user pool otherwise. */
export class Identities extends Construct {
  readonly issuer: string;
  /** What a token must be issued for. */
  readonly audience: string;
  readonly userPool?: UserPool;
  readonly client?: UserPoolClient;

  constructor(scope: Construct, id: string, { stage, names, removalPolicy }: IdentitiesProps) {
    super(scope, id);
    if (stage.oidc) {
      this.issuer = stage.oidc.issuer;
      this.audience = stage.oidc.audience;
      return;
    }
    this.userPool = new UserPool(this, 'UserPool', {
      userPoolName: names.prefix,
      // Cognito mails it to the first admin, and where SES refuses Slipway's own invitation.
      userInvitation: {
        emailSubject: 'Your sign-in for Slipway',
        emailBody:
          'You have a sign-in for Slipway, which builds container images and launches experiments in them.<br>Email: {username}<br>First password: {####} (valid for 7 days)<br>Sign in with the AWS CLI: aws cognito-idp initiate-auth. The deploy guide of Slipway, "Signing in", has the command; ask your operator for the client id and the address.',
      },
      // Admins invite; nobody else comes in.
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      autoVerify: { email: true },
      keepOriginal: { email: true },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(7),
      },
      mfa: Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      featurePlan: FeaturePlan.ESSENTIALS,
      removalPolicy,
    });
    Validations.of(this.userPool).acknowledge(
      {
        id: 'AwsSolutions-COG2',
        reason:
          'Enrolling a second factor needs a sign-in page, which this API has none of; users may enrol by the AWS CLI.',
      },
      {
        id: 'AwsSolutions-COG8',
        reason:
          'Threat protection is priced per user; operators who want it can name an issuer of their own instead.',
      },
    );
    this.client = this.userPool.addClient('Api', {
      userPoolClientName: `${names.prefix}-api`,
      generateSecret: false,
      authFlows: { userSrp: true, userPassword: true },
      disableOAuth: true,
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.days(30),
      readAttributes: new ClientAttributes().withStandardAttributes({
        email: true,
        emailVerified: true,
        fullname: true,
      }),
      // By default users could write their own email through the client, and with it whatever is granted to an email.
      writeAttributes: new ClientAttributes().withStandardAttributes({ fullname: true }),
    });
    this.issuer = this.userPool.userPoolProviderUrl;
    this.audience = this.client.userPoolClientId;
  }
}
