/** Resources that say something to AWS only: they get names and attributes, and nothing runs for them here. */
import { createHash } from 'node:crypto';
import type { Cloud, ResourceType } from '../platform.ts';
import { generatedName } from './names.ts';

/** A stable identifier as EC2 and others make them: `<prefix>-<17 hex digits>`. */
const hashed = (prefix: string) => (declared: { stack: string; logicalId: string }) =>
  `${prefix}-${createHash('sha256').update(`${declared.stack}/${declared.logicalId}`).digest('hex').slice(0, 17)}`;

const arn = (cloud: Cloud, service: string, resource: string) =>
  `arn:aws:${service}:${cloud.region}:${cloud.accountId}:${resource}`;

const zoneOf = (properties: { AvailabilityZone?: string }, cloud: Cloud) =>
  properties.AvailabilityZone ?? `${cloud.region}a`;

export const inertTypes: Record<string, ResourceType> = {
  'AWS::EC2::VPC': {
    physicalId: hashed('vpc'),
    attributes: ({ physicalId, properties }) => ({
      VpcId: physicalId,
      CidrBlock: properties.CidrBlock ?? '',
      DefaultSecurityGroup: physicalId.replace('vpc-', 'sg-'),
      DefaultNetworkAcl: physicalId.replace('vpc-', 'acl-'),
    }),
  },
  'AWS::EC2::Subnet': {
    physicalId: hashed('subnet'),
    attributes: ({ physicalId, properties }, cloud) => ({
      SubnetId: physicalId,
      AvailabilityZone: zoneOf(properties, cloud),
      VpcId: properties.VpcId ?? '',
    }),
  },
  'AWS::EC2::SecurityGroup': {
    physicalId: hashed('sg'),
    attributes: ({ physicalId, properties }) => ({ GroupId: physicalId, VpcId: properties.VpcId ?? '' }),
  },
  'AWS::EC2::LaunchTemplate': {
    physicalId: hashed('lt'),
    attributes: ({ physicalId }) => ({
      LaunchTemplateId: physicalId,
      LatestVersionNumber: '1',
      DefaultVersionNumber: '1',
    }),
  },
  'AWS::EC2::InternetGateway': {
    physicalId: hashed('igw'),
    attributes: ({ physicalId }) => ({ InternetGatewayId: physicalId }),
  },
  'AWS::EC2::RouteTable': {
    physicalId: hashed('rtb'),
    attributes: ({ physicalId }) => ({ RouteTableId: physicalId }),
  },
  'AWS::EC2::VPCEndpoint': { physicalId: hashed('vpce') },
  'AWS::EC2::FlowLog': { physicalId: hashed('fl'), attributes: ({ physicalId }) => ({ Id: physicalId }) },
  'AWS::EC2::VPCGatewayAttachment': { physicalId: hashed('attachment') },
  'AWS::EC2::Route': { physicalId: hashed('route') },
  'AWS::EC2::SubnetRouteTableAssociation': { physicalId: hashed('rtbassoc') },
  'AWS::EC2::SecurityGroupIngress': { physicalId: hashed('sgr') },
  'AWS::EC2::SecurityGroupEgress': { physicalId: hashed('sgr') },
  'AWS::CloudWatch::Alarm': {
    physicalId: (declared) => declared.properties.AlarmName ?? generatedName(declared, 255),
    attributes: ({ physicalId }, cloud) => ({ Arn: arn(cloud, 'cloudwatch', `alarm:${physicalId}`) }),
  },
  'AWS::CloudWatch::CompositeAlarm': {
    physicalId: (declared) => declared.properties.AlarmName ?? generatedName(declared, 255),
    attributes: ({ physicalId }, cloud) => ({ Arn: arn(cloud, 'cloudwatch', `alarm:${physicalId}`) }),
  },
  'AWS::CloudWatch::Dashboard': {
    physicalId: (declared) => declared.properties.DashboardName ?? generatedName(declared, 255),
  },
  'AWS::SNS::Topic': {
    physicalId: (declared, cloud) =>
      arn(cloud, 'sns', declared.properties.TopicName ?? generatedName(declared, 255)),
    attributes: ({ physicalId }) => ({
      TopicArn: physicalId,
      TopicName: physicalId.slice(physicalId.lastIndexOf(':') + 1),
    }),
  },
  'AWS::SNS::TopicPolicy': { physicalId: (declared) => generatedName(declared, 255) },
  'AWS::SNS::Subscription': {
    physicalId: (declared, cloud) => arn(cloud, 'sns', generatedName(declared, 255)),
  },
  'AWS::Logs::MetricFilter': {
    physicalId: (declared) => declared.properties.FilterName ?? generatedName(declared, 255),
  },
  'AWS::Budgets::Budget': { physicalId: (declared) => generatedName(declared, 100) },
  'AWS::ResourceGroups::Group': {
    physicalId: (declared) => declared.properties.Name ?? generatedName(declared, 128),
  },
};
