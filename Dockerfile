# mars-pl for CPUs and NVIDIA GPUs: torch's wheels bring CUDA's libraries, the host its driver.
#   docker build -t mars-pl .
#   docker run --rm -v "$PWD:/work" mars-pl run demo
#   docker run --rm --gpus all --ipc host --user "$(id -u):$(id -g)" -v "$PWD:/work" mars-pl run mars data=voc
# --ipc host: data workers pass images through shared memory, of which a container has 64 MB.

FROM python:3.11-slim AS build
# the dense CRF compiles on install
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential
RUN python -m venv /opt/mars
ENV PATH=/opt/mars/bin:$PATH
WORKDIR /source
# dependencies first: a change of the code does not fetch them again
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
    print(*p['dependencies'], *p['optional-dependencies']['crf'], *p['optional-dependencies']['export'], sep='\n')" > needed.txt \
    && pip install --no-cache-dir --constraint constraints.txt --requirement needed.txt
COPY setup.py README.md LICENSE ./
COPY configs configs
COPY callbacks callbacks
COPY datamodules datamodules
COPY mars_pl mars_pl
RUN pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
# scikit-learn's and torch's threads
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/mars /opt/mars
RUN useradd --uid 1000 --no-create-home --home-dir /work mars && install --directory --owner mars /work
# HOME: what is fetched from a hub stays in the folder that was mounted
ENV PATH=/opt/mars/bin:$PATH HOME=/work MPLCONFIGDIR=/tmp/matplotlib
USER mars
WORKDIR /work
ENTRYPOINT ["mars"]
CMD ["--help"]
