@echo off
rem Sets everything up on first use, then starts the product. See run.bat --help
setlocal EnableExtensions
cd /d "%~dp0"
set "ENVIRONMENT=.venv"
set "PYTHON=.venv\Scripts\python.exe"

if "%~1"=="" goto start
if "%~1"=="--verify" goto verify
if "%~1"=="test" goto test
if "%~1"=="check" goto check
if "%~1"=="bench" goto bench
if "%~1"=="--help" goto usage
if "%~1"=="-h" goto usage
call :usage
echo There is no command %~1. 1>&2
exit /b 1

:usage
echo Usage: run.bat [command]
echo.
echo   (none)             set up if needed, then start the backend and the approval server
echo   --verify [--live]  check this machine and the settings first, then start;
echo                      --live also asks Gemini, Elasticsearch and the approval server once
echo   test [options]     run the tests; options go to pytest
echo   check              format, lint, types, import rules, tests with coverage
echo   bench              measure, and print the figures
echo   --help             this text
echo.
echo Settings come from the environment and from .env; .env.example lists them all.
exit /b 0

:start
call :install requirements.txt || exit /b 1
"%PYTHON%" -m app serve
exit /b %ERRORLEVEL%

:verify
call :install requirements.txt || exit /b 1
"%PYTHON%" verify_setup.py %2 || exit /b 1
"%PYTHON%" -m app serve
exit /b %ERRORLEVEL%

:test
call :install requirements-dev.txt || exit /b 1
"%PYTHON%" -m pytest --numprocesses=auto --dist=loadfile %2 %3 %4 %5 %6 %7 %8 %9
exit /b %ERRORLEVEL%

:check
call :install requirements-dev.txt || exit /b 1
"%PYTHON%" -m ruff format --check . || exit /b 1
"%PYTHON%" -m ruff check . || exit /b 1
"%PYTHON%" -m mypy || exit /b 1
"%ENVIRONMENT%\Scripts\lint-imports.exe" || exit /b 1
"%PYTHON%" -m pytest --numprocesses=auto --dist=loadfile --cov --cov-report=term
exit /b %ERRORLEVEL%

:bench
call :install requirements.txt || exit /b 1
"%PYTHON%" -m bench %2 %3 %4
exit /b %ERRORLEVEL%

rem An interrupted installation is thrown away and done again. The lists are complete (see run.sh).
:install
set "UNFINISHED=%ENVIRONMENT%\unfinished"
set "INSTALLED=%ENVIRONMENT%\installed-%~1"
if exist "%UNFINISHED%" goto create
"%PYTHON%" -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 || goto create
goto packages

:create
call :find_python || exit /b 1
echo Creating the virtual environment %ENVIRONMENT% ...
%FOUND% -m venv --clear "%ENVIRONMENT%" || exit /b 1

:packages
fc /b "%~1" "%INSTALLED%" >nul 2>&1 && exit /b 0
del /q "%ENVIRONMENT%\installed-*" >nul 2>&1
echo Installing %~1, once; this takes about a minute ...
type nul > "%UNFINISHED%"
"%PYTHON%" -m pip install --no-input --disable-pip-version-check --require-hashes --no-deps --requirement "%~1"
if errorlevel 1 (
    echo The packages could not be installed. Run this again when the cause is gone. 1>&2
    exit /b 1
)
rem requirements-dev.txt holds everything of requirements.txt.
copy /b /y requirements.txt "%ENVIRONMENT%\installed-requirements.txt" >nul
copy /b /y "%~1" "%INSTALLED%" >nul
del /q "%UNFINISHED%"
exit /b 0

:find_python
for %%P in ("py -3" "python" "python3" "py -3.13" "py -3.12" "py -3.11") do (
    %%~P -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 && (
        set "FOUND=%%~P"
        exit /b 0
    )
)
echo Python 3.11 or newer is needed, and none was found. Install it ^(https://www.python.org/downloads/^) and run this again. 1>&2
exit /b 1
