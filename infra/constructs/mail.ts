import {
  ConfigurationSet,
  ConfigurationSetTlsPolicy,
  EmailIdentity,
  Identity,
  SuppressionReasons,
} from 'aws-cdk-lib/aws-ses';
import { Construct } from 'constructs';
import type { Stage } from '../../shared/model/stage.ts';
import type { Names } from '../names.ts';

/** The sender of all mail. SES asks its owner for consent once, at the first deployment. */
export class Mail extends Construct {
  constructor(scope: Construct, id: string, { stage, names }: { stage: Stage; names: Names }) {
    super(scope, id);
    // An account has an identity once; where it belongs to somebody else, only permission to send is taken.
    if (stage.mailIdentity === 'existing') return;
    const configurationSet = new ConfigurationSet(this, 'ConfigurationSet', {
      configurationSetName: names.prefix,
      tlsPolicy: ConfigurationSetTlsPolicy.REQUIRE,
      suppressionReasons: SuppressionReasons.BOUNCES_AND_COMPLAINTS,
      reputationMetrics: true,
    });
    new EmailIdentity(this, 'Sender', { identity: Identity.email(stage.mailFrom), configurationSet });
  }
}
