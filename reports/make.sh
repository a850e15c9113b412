#!/usr/bin/env bash
# Four example releases, of public tables: JSON, statement and verdict of each are kept here, and the pages of the first.
# The pages of the others stay in runs/reports; rows and models are not kept.
# Run: make reports (two of them need SYNTHKIT_DATA, the folder of the public tables). Or: bash reports/make.sh synthkit NAME
set -euo pipefail
synthkit=${1:-synthkit}
only=${2:-}
work=runs/reports
rendered=support2-autoregressive

# Holds the run NAME against the example policy POLICY and keeps what may be looked at; a verdict other than PASS is no error.
keep() {
  "$synthkit" gate "$work/$1" --policy "$2" || [ $? -eq 1 ]
  "$synthkit" report "$work/$1" --tier shareable --quiet
  rm -rf "reports/$1" && mkdir -p "reports/$1"
  for file in report.json shareable.json statement.json gate.json policy.yaml; do
    cp "$work/$1/$file" "reports/$1/"
  done
  if [ "$1" = "$rendered" ]; then cp "$work/$1/report.html" "$work/$1/shareable.html" "reports/$1/"; fi
}
wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

mkdir -p "$work"
if wanted support2-autoregressive; then
  "$synthkit" demo --out "$work/support2-autoregressive" --seed 1 --overwrite --quiet
  keep support2-autoregressive schemas/policies/internal-research.yaml
fi
if wanted support2-marginal-epsilon-1; then
  rm -f "$work/support2-marginal-epsilon-1.ledger.json" # an example: what was spent on it before is not meant to count
  "$synthkit" demo --out "$work/support2-marginal-epsilon-1" --epsilon 1 --delta 1e-5 --draws 3 --seed 1 --overwrite --quiet
  keep support2-marginal-epsilon-1 schemas/policies/public-release.yaml
fi
if [ -z "${SYNTHKIT_DATA:-}" ]; then
  echo "SYNTHKIT_DATA is not set: the examples of adult and diabetes130 stay as they are"
  exit 0
fi
if wanted adult-diffusion; then
  "$synthkit" run "$SYNTHKIT_DATA/adult/train.parquet" --schema schemas/adult.yaml --model diffusion \
    --out "$work/adult-diffusion" --seed 1 --overwrite --quiet
  keep adult-diffusion schemas/policies/partner-release.yaml
fi
if wanted diabetes130-patient-epsilon-3; then
  rm -f "$work/diabetes130-patient-epsilon-3.ledger.json"
  "$synthkit" run "$SYNTHKIT_DATA/diabetes130/diabetic_data.parquet" --schema schemas/diabetes130.yaml --epsilon 3 \
    --delta 1e-6 --max-rows-per-unit 4 --draws 3 --out "$work/diabetes130-patient-epsilon-3" --seed 1 --overwrite --quiet
  keep diabetes130-patient-epsilon-3 schemas/policies/public-release.yaml
fi
