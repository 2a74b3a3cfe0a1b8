"""Files that run, or are obeyed, elsewhere than in tests: in CI, in editors, agents, shells, builds. A table; pure.

No run of tests shows what such a file does on the machine of whoever opens the folder, so its name decides. What an
ordinary fix has no business with is refused; what a fix may change is remarked in the merge request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Ruling(StrEnum):
    """What becomes of a change that touches such a file."""

    REFUSE = "refuse"
    REMARK = "remark"


class PathRow(Struct, frozen=True, kw_only=True):
    """Files that are treated alike. The first row that means a path decides."""

    patterns: tuple[str, ...]
    """Globs in lower case. One that begins with `/` means the path from the root, others a path in any folder."""
    ruling: Ruling
    why: str
    """What such a file does, as the end of a sentence that begins with its name."""
    unless: tuple[str, ...] = ()
    """Endings of files that are only called so."""


_SOURCE: Final = (
    *("py", "pyi", "js", "jsx", "mjs", "cjs", "ts", "tsx", "vue", "css", "scss", "html", "md", "rst", "txt"),
    *("cs", "fs", "vb", "java", "kt", "scala", "rb", "go", "rs", "php", "c", "h", "cc", "cpp"),
)

ROWS: Final = (
    PathRow(
        ruling=Ruling.REFUSE,
        why="decides what runs in CI, or who reviews",
        patterns=(
            *(
                "*.gitlab-ci.y*ml",
                "azure-pipelines*.y*ml",
                ".azure-pipelines/**",
                "/azure-pipelines/**",
                ".vsts-ci.yml",
            ),
            *("bitbucket-pipelines.yml", "appveyor.yml", ".appveyor.yml", ".travis.yml", ".drone.y*ml", ".drone.star"),
            *(".woodpecker.y*ml", ".woodpecker/**", ".circleci/**", "/circle.yml", ".buildkite/**", ".teamcity/**"),
            *(
                "cloudbuild*.y*ml",
                "cloudbuild*.json",
                "buildspec*.y*ml",
                ".semaphore/**",
                ".cirrus.y*ml",
                ".cirrus.star",
            ),
            *(
                ".tekton/**",
                ".gitea/**",
                ".forgejo/**",
                "codefresh.y*ml",
                ".codefresh/**",
                ".harness/**",
                "bitrise.yml",
            ),
            *(
                ".zuul.y*ml",
                ".zuul.d/**",
                "/zuul.d/**",
                ".builds/**",
                "bamboo-specs/**",
                "wercker.yml",
                "/vars/*.groovy",
            ),
            *("netlify.toml", "vercel.json", "amplify.y*ml", ".readthedocs.y*ml", "readthedocs.y*ml"),
            *("renovate.json*", ".renovaterc*", "dependabot.y*ml", ".mergify.yml", ".mergify/**", ".kodiak.toml"),
            *("/codeowners", "/docs/codeowners", "/bug-fix.yml", "/.bug-fix/**"),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="decides what runs in CI, or who reviews",
        patterns=("jenkinsfile*",),
        unless=_SOURCE,  # `jenkinsfile.py` is a module, `Jenkinsfile.groovy` a pipeline
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="decides what git runs on people's machines",
        patterns=(
            *(".husky/**", ".pre-commit-config.y*ml", ".pre-commit-hooks.y*ml", "prek.toml", ".hg/**", ".svn/**"),
            *(
                "lefthook*.y*ml",
                ".lefthook*.y*ml",
                "lefthook*.toml",
                "lefthook*.json",
                ".lefthook/**",
                ".lefthook-local/**",
            ),
            *("/githooks/**", "/.hooks/**", ".overcommit.yml", ".overcommit/**", "captainhook.json", "grumphp.y*ml"),
            *(".simple-git-hooks.*", "simple-git-hooks.*", ".lintstagedrc*", "lint-staged.config.*"),
            *(".commitlintrc*", "commitlint.config.*"),
            *(f"hooks/{name}" for name in ("pre-commit", "pre-push", "pre-rebase", "pre-receive", "pre-merge-commit")),
            *(f"hooks/{name}" for name in ("post-checkout", "post-commit", "post-merge", "post-rewrite", "update")),
            *(f"hooks/{name}" for name in ("commit-msg", "prepare-commit-msg", "post-receive", "applypatch-msg")),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="is obeyed by editors that open the folder",
        patterns=(
            *(".vscode/**", "*.code-workspace", ".idea/**", ".run/*.run.xml", ".vs/**", ".fleet/**", ".zed/**"),
            *(".nvim.lua", ".nvimrc", ".exrc", ".vimrc", ".lvimrc", "_vimrc", ".dir-locals*.el", ".projectile"),
            *("*.sublime-project", "*.sublime-workspace", ".externaltoolbuilders/**", ".helix/**", "nbproject/**"),
            *(".devcontainer/**", ".devcontainer.json", ".gitpod.*", ".idx/**", "devfile.yaml", ".devfile.yaml"),
            *(".codesandbox/**", ".replit", ".stackblitzrc"),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="tells coding agents what to do, or which programs to start",
        patterns=(
            *(".claude/**", "claude.md", "claude.local.md", ".mcp.json", "mcp.json", "agents.md", "agents.override.md"),
            *(".cursor/**", ".cursorrules", ".windsurf/**", ".windsurfrules", ".codeium/**", ".continue/**", ".aider*"),
            *(".gemini/**", "gemini.md", ".codex/**", ".kiro/**", ".roo/**", ".roorules*", ".roomodes", ".cline*/**"),
            *(".clinerules", ".amazonq/**", ".augment/**", ".junie/**", ".goose/**", ".goosehints", ".opencode/**"),
            *(
                "opencode.json*",
                ".crush/**",
                "crush.json",
                ".crush.json",
                ".trae/**",
                ".qwen/**",
                "qwen.md",
                ".factory/**",
            ),
            *(".agents/**", ".agent/**", ".amp/**", ".openhands/**", ".devin/**", ".rules", "copilot-instructions.md"),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="is run by shells and interpreters that are started in the folder",
        patterns=(
            *(
                ".envrc",
                ".mise*.toml",
                "mise.toml",
                "mise.*.toml",
                ".mise/**",
                "mise/config.toml",
                ".config/mise/**",
                ".rtx.toml",
            ),
            *(".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".inputrc", ".autoenv*"),
            *(".gdbinit", ".lldbinit", ".pdbrc*", ".pythonrc*", ".irbrc", ".pryrc", ".rprofile", ".renviron", ".ghci"),
            *("autorun.inf", "desktop.ini", "*.lnk", "*.scf", "*.url", "*.desktop", "*.library-ms", ".netrc", "_netrc"),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="decides which packages are installed, and from where",
        patterns=(
            *(".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.*js", ".yarn/**", ".pnp.*", "patches/*.patch"),
            *("nuget.config", "pip.conf", "pip.ini", "uv.toml", ".pypirc", ".condarc", ".mambarc", "poetry.toml"),
            *(".pdm.toml", ".pixi/config.toml", ".gemrc", ".bundle/**", "/auth.json", ".m2/**", ".terraformrc"),
            *(".docker/config.json", "*.init.gradle", "*.init.gradle.kts", "/init.gradle*"),
        ),
    ),
    PathRow(
        ruling=Ruling.REFUSE,
        why="is read by a build tool before anything else, and can make it start other programs",
        patterns=(
            *(".cargo/config", ".cargo/config.toml", ".bazelrc", "*.bazelrc", ".buckconfig", ".mvn/**", ".sbtopts"),
            *(".jvmopts", "gradle/wrapper/**", "gradlew", "gradlew.bat", "mvnw", "mvnw.cmd", "/gradle.properties"),
        ),
    ),
    PathRow(
        ruling=Ruling.REMARK,
        why="is a program or a setting by which the product is built or installed",
        patterns=(
            *("setup.py", "hatch_build.py", "fabfile.py", "dodo.py", "/*.config.*js", "/*.config.*ts", "/*.config.js"),
            *("/*.config.ts", "next.config.*", "nuxt.config.*", "vite.config.*", "webpack*.config.*", "webpack.*.js"),
            *("rollup.config.*", "postcss.config.*", "tailwind.config.*", "babel.config.*", "metro.config.*"),
            *("svelte.config.*", "astro.config.*", "vue.config.*", ".babelrc*", ".swcrc", "gulpfile.*", "gruntfile.*"),
            *("angular.json", "nx.json", "project.json", "turbo.json", "lerna.json", "tsconfig*.json", "jsconfig.json"),
            *("makefile", "gnumakefile", "*.mk", "justfile", ".justfile", "taskfile.y*ml", "rakefile", "*.gemspec"),
            *("cmakelists.txt", "*.cmake", "meson.build", "configure.ac", "build.rs", "build.sbt", "extconf.rb"),
            *(
                "build.gradle*",
                "settings.gradle*",
                "buildsrc/**",
                "pom.xml",
                "directory.build.*",
                "*.props",
                "*.targets",
            ),
            *(
                "dockerfile*",
                "*.dockerfile",
                "containerfile*",
                ".dockerignore",
                "docker-compose*.y*ml",
                "compose*.y*ml",
            ),
            *("docker-bake.*", "earthfile", "vagrantfile", "tiltfile", "skaffold.y*ml", "*.nix", "flake.lock", "*.bzl"),
            *("*.bazel", "binding.gyp", ".env", ".env.*", ".project", ".settings/**"),
        ),
    ),
    PathRow(
        ruling=Ruling.REMARK,
        why="is a script that people, CI or machines may run",
        patterns=(
            *("*.sh", "*.bash", "*.zsh", "*.fish", "*.ps1", "*.psm1", "*.bat", "*.cmd", "*.vbs", "*.reg"),
            *("/ci/**", "/.ci/**", "/scripts/**", "/bin/**", "/hooks/**"),
        ),
    ),
    PathRow(
        ruling=Ruling.REMARK,
        why="decides how the product is deployed",
        patterns=(
            *("/deploy/**", "/deployment/**", "/deployments/**", "/helm/**", "/charts/**", "/k8s/**", "/kubernetes/**"),
            *("/terraform/**", "/ansible/**", "/infra/**", "*.tf", "*.tfvars", "*.hcl", "*.bicep", "pulumi*.y*ml"),
            *(
                "chart.y*ml",
                "kustomization.y*ml",
                "procfile",
                "fly.toml",
                "render.y*ml",
                "serverless.y*ml",
                "heroku.yml",
            ),
        ),
    ),
    PathRow(
        ruling=Ruling.REMARK,
        why="names the versions of tools that are fetched",
        patterns=(
            *(".tool-versions", ".nvmrc", ".node-version", ".python-version", ".ruby-version", ".java-version"),
            *("rust-toolchain", "rust-toolchain.toml", "global.json", ".sdkmanrc", ".bazelversion"),
        ),
    ),
    PathRow(
        ruling=Ruling.REMARK,
        why="says what people may do, or whom they turn to",
        patterns=(
            *(
                "license*",
                "licence*",
                "copying*",
                "notice",
                "notice.*",
                "security.md",
                "security.txt",
                ".well-known/**",
            ),
            *("funding.yml", "code_of_conduct.md", "cla.md"),
        ),
        unless=tuple(ending for ending in _SOURCE if ending not in {"md", "rst", "txt", "html"}),
    ),
)
"""Compared with the path as the most forgiving file system would have it."""
