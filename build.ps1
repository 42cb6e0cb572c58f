# Thin wrapper: each target is one dotnet command. Without PowerShell: dotnet run deploy/pwsh.cs build.ps1 TARGET
param([string]$Target = 'build')

switch ($Target) {
    'build' { dotnet build Actors.sln -c Release }
    'test' { dotnet test Actors.sln }
    'format' { dotnet format Actors.sln --verify-no-changes }
    'quickstart' { dotnet run -c Release --project src/Lateral.Node -- train hocon/quickstart.conf }
    'bench' { dotnet run -c Release --project tests/Lateral.Benchmarks }
    'doctor' { dotnet run -c Release --project src/Lateral.Node -- doctor }
    default { "unknown target '$Target'; one of: build, test, format, quickstart, bench, doctor"; $global:LASTEXITCODE = 2 }
}
exit $LASTEXITCODE
