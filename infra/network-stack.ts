import { Fn, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { SlipwayStackProps } from './data-stack.ts';

export interface NetworkStackProps extends SlipwayStackProps {
  logsBucket: IBucket;
}

/**
 * The hosts' network: public subnets only. A NAT gateway would cost money while nobody uses Slipway, and by the
 * gigabyte while images are pulled; hosts accept no connection, and S3 (where ECR's layers lie) has its own way out.
 */
export class NetworkStack extends Stack {
  readonly vpc: Vpc;
  private readonly zones: string[];

  constructor(scope: Construct, id: string, { stage, logsBucket, ...props }: NetworkStackProps) {
    super(scope, id, props);
    this.zones = Array.from({ length: stage.availabilityZones }, (_, index) => Fn.select(index, Fn.getAzs()));
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.0.0.0/16'),
      maxAzs: stage.availabilityZones,
      natGateways: 0,
      subnetConfiguration: [
        { name: 'hosts', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: true, cidrMask: 20 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
      // CDK does it with a custom resource; nothing here uses the default group.
      restrictDefaultSecurityGroup: false,
    });
    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toS3(logsBucket, 'flow-logs/'),
    });
  }

  /** Chosen at deployment by name, so that synth asks no account for its zones. */
  override get availabilityZones(): string[] {
    return this.zones;
  }
}
