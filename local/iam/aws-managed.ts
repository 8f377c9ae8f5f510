/** The permissions of AWS's own managed policies, as far as templates here attach them. */

const allow = (...actions: string[]) => ({
  Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
});

const lambdaLogs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

/** By what follows `arn:aws:iam::aws:policy/`. */
export const awsManagedPolicies: Record<string, object> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...lambdaLogs),
  'service-role/AWSLambdaVPCAccessExecutionRole': allow(
    ...lambdaLogs,
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ),
  'service-role/AmazonECSTaskExecutionRolePolicy': allow(
    'ecr:GetAuthorizationToken',
    'ecr:BatchCheckLayerAvailability',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchGetImage',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ),
  'service-role/AmazonEC2ContainerServiceforEC2Role': allow(
    'ec2:DescribeTags',
    'ecs:CreateCluster',
    'ecs:DeregisterContainerInstance',
    'ecs:DiscoverPollEndpoint',
    'ecs:Poll',
    'ecs:RegisterContainerInstance',
    'ecs:StartTelemetrySession',
    'ecs:UpdateContainerInstancesState',
    'ecs:Submit*',
    'ecr:GetAuthorizationToken',
    'ecr:BatchCheckLayerAvailability',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchGetImage',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ),
  'service-role/AWSBatchServiceRole': allow('ec2:*', 'autoscaling:*', 'ecs:*', 'logs:*'),
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': allow('logs:*'),
  AmazonSSMManagedInstanceCore: allow('ssm:*', 'ssmmessages:*', 'ec2messages:*'),
};
