#!/usr/bin/env pwsh
# Thin names for dotnet commands, run from anywhere: ./build.ps1 [build | test | bench | quickstart]
# Core language only, so that deploy/pwsh.cs runs it where PowerShell is not installed:
#   dotnet run deploy/pwsh.cs build.ps1 test
param([string] $Target = 'build')

switch ($Target) {
    'build' { dotnet build "$PSScriptRoot/Actors.sln" -c Release }
    'test' { dotnet test "$PSScriptRoot/Actors.sln" -c Release }
    'bench' { dotnet run -c Release --project "$PSScriptRoot/tests/Lateral.Benchmarks" }
    'quickstart' { dotnet run -c Release --project "$PSScriptRoot/src/Lateral.Node" -- train "$PSScriptRoot/hocon/quickstart.conf" }
    default { throw "unknown target '$Target'; there are build, test, bench and quickstart" }
}
exit $LASTEXITCODE
