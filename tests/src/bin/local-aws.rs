//! `cargo local-aws`: an AWS on this machine that enforces IAM, with two accounts as platform teams have them, until
//! Enter is pressed.
//!
//! What goes to standard output are the exports for a shell with the AWS CLI; everything else goes to standard error.

use std::error::Error;
use std::io::{Write, stdin, stdout};

use crosspipe_e2e::LocalAws;
use crosspipe_e2e::world::World;

const REGION: &str = "eu-west-1";

fn main() -> Result<(), Box<dyn Error>> {
    eprintln!("starting (the first time, Python packages are installed under target/local-aws)");
    let aws = LocalAws::start()?;
    let world = World::build(&aws, REGION)?;
    eprintln!(
        "\nTools account {}: pipeline {}, its service role, bucket and key.\nTarget account {}: role {}.\n\
         Any access key that is an account id signs in as that account's root. In another shell:\n",
        world.tools.id(),
        world.pipeline,
        world.target.id(),
        world.instance_role
    );
    println!(
        "export AWS_ENDPOINT_URL={}\nexport AWS_REGION={REGION}\nexport AWS_DEFAULT_REGION={REGION}\nexport AWS_ACCESS_KEY_ID={}\n\
         export AWS_SECRET_ACCESS_KEY=local\n\
         export PIPELINE={}\nexport SERVICE_ROLE_ARN={}\nexport ARTIFACT_BUCKET={}\nexport ARTIFACT_KEY_ARN={}",
        aws.endpoint(),
        world.tools.id(),
        world.pipeline,
        world.service_role_arn,
        world.bucket,
        world.key_arn
    );
    stdout().flush()?;
    eprintln!("\nFor example: aws codepipeline get-pipeline --name {}\nEnter ends it.", world.pipeline);
    stdin().read_line(&mut String::new())?;
    Ok(())
}
