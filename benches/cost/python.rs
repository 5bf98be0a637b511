//! The relay in Python: its packages installed as they are for Lambda, into the folder that would be zipped.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::build;

const SOURCES: &str = "benches/python";
const REQUIREMENTS: &str = "benches/python/requirements.txt";

/// What Python runs.
pub struct Python {
    /// The interpreter.
    pub interpreter: PathBuf,
    /// The folder with the relay and its packages.
    pub task: PathBuf,
}

/// Installs once; again when the requirements are others. What is missing, where it can't be.
pub fn install() -> Result<Python, String> {
    let folder = std::path::absolute(Path::new(build::FOLDER).join("python")).map_err(|error| error.to_string())?;
    let (venv, task) = (folder.join("venv"), folder.join("task"));
    let interpreter = venv.join("bin/python");
    let requirements = fs::read_to_string(REQUIREMENTS).map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&requirements) {
        let _ = fs::remove_dir_all(&folder);
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let install =
            ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", REQUIREMENTS, "--target"];
        run(Command::new(&interpreter).args(install).arg(&task))?;
        fs::write(&installed, requirements).map_err(|error| error.to_string())?;
    }
    copy(&task).map_err(|error| format!("{SOURCES}: {error}"))?;
    Ok(Python { interpreter, task })
}

fn copy(task: &Path) -> io::Result<()> {
    for source in fs::read_dir(SOURCES)? {
        let source = source?.path();
        if let Some(name) = source.file_name().filter(|_| source.extension().is_some_and(|extension| extension == "py"))
        {
            fs::copy(&source, task.join(name))?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} failed: {status}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("there is no {program}")),
        Err(error) => Err(format!("{program} can't be run: {error}")),
    }
}
