#!/bin/bash
# In place of `mars`: one line a call in `calls`, and whatever a stage may leave. A file in stub/ says which stages
# stand, hang, fail, leave nothing or lose an image.
printf -v line '%s\x1f' "${OMP_NUM_THREADS-all}" "$@"; echo "$line" >> calls
if [[ $MARS_WANDB ]]; then echo "$MARS_WANDB" >> told; fi
if [[ $1 == validate ]]; then exit $(cat stub/code 2> /dev/null || echo 0); fi
while (($#)); do
  case $1 in
    --json) part=${2%/*};;
    --trainer.default_root_dir) part=$2;;
    --data.init_args.root|--root) root=$2;;
    --ckpt_path) [[ -e $2 ]] || exit 9;;
  esac
  [[ $2 != runs/stages/* || $1 == --json || $1 == --trainer.default_root_dir || $1 == --ckpt_path || -e $2 ]] || exit 8
  shift
done
of() { [[ -e stub/$1 && $part == *$(<stub/$1)* ]]; }
[[ $root == /* ]] || root=$PWD/$root
while of stand; do sleep .05; done
if of hang; then echo $$ > hangs; exec sleep 60; fi
if of fail; then
  if [[ -e stub/once ]]; then rm stub/once stub/fail; fi
  echo half > "$part/half.txt"
  if [[ -e stub/checkpoint ]]; then mkdir -p "$part/checkpoints"; echo epoch > "$part/checkpoints/last.ckpt"; fi
  exit 3
fi
if of empty; then exit 0; fi
if [[ -e stub/real ]]; then truth=$root/SegmentationClass; fi
cd "$part" && mkdir -p mars baseline confident prediction features || exit 7
for name in weights.safetensors neighbours.safetensors tokens.npy centroids.safetensors probe.safetensors; do echo whole > $name; done
for name in selection.json removed.json about.json probe.json; do echo '{}' > $name; done
cp "$OLDPWD"/stub/candidates.parquet .
echo '{"split": "val", "images": 4, "miou": 0.5, "fp": 0.3, "fn": 0.2}' > row.json
lists=("$root"/ImageSets/Segmentation/all.txt)
[[ -e ${lists[0]} ]] || lists=("$root"/ImageSets/Segmentation/*.txt)
for list in "${lists[@]}"; do
  while read -r id; do
    for file in "$id.npz" "$id.png" "mars/$id.png" "prediction/$id.png"; do echo whole > "$file"; done
  done < "$list"
done
if [[ $truth ]]; then for folder in . mars prediction; do cp "$truth"/*.png $folder; done; fi
cd "$OLDPWD"
if of lose; then rm "$part"/{,mars/}"$(< stub/lost).png"; fi
