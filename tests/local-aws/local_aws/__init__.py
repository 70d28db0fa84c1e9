"""Local AWS: ministack with what Crosspipe's tests need on top, in one process on 127.0.0.1.

# Layout

- `__main__`: starts the server; ends with its standard input.
- `hooks`: every place where ministack is extended or replaced, and the check that it still exists.
- `evaluation`: "may this role do that?", asked of ministack's own IAM evaluator.
- `protocol`: the JSON 1.1 wire form that CodePipeline and CodeDeploy share.
- `codepipeline/`: the service: operations, structure rules, executions, events, tags.
- `codedeploy`, `stack_sets`, `resource_types`: what else ministack lacks.
- `providers`: what IAM evaluates requests to CodeBuild and ECS on.
- `policies`, `principals`, `condition_keys`, `keys`, `buckets`, `custom_resources`, `event_targets`: where it is laxer
  than AWS, or differs.
- `control`: `POST /_local/...`, the test's hand on the scenery: scripted failures, faults, deployments.
- `bridge`, `package_template`: a separate process, boto3 for callers that speak JSON lines.
"""
