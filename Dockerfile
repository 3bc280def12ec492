# The book and all that its two commands need, on a machine that has nothing but Docker:
#   docker build -t sharp-minima .
#   docker run --rm -p 8000:8000 sharp-minima               the site, on http://127.0.0.1:8000
#   docker run --rm sharp-minima make book                  execute every notebook and build the site again
#   docker run --rm sharp-minima make test                  run and compare everything
#   docker run --rm -p 8888:8888 sharp-minima make lab LAB="--ip=0.0.0.0 --no-browser"
FROM python:3.11-slim-bookworm AS machine
WORKDIR /book
COPY .ci .ci
RUN bash .ci/prepare

FROM machine AS book
COPY . .
RUN make setup
RUN make prose
EXPOSE 8000 8888
# Not make serve, which is for the machine it runs on and no other.
CMD ["python3", "-m", "http.server", "--directory", "_build/html", "8000"]
