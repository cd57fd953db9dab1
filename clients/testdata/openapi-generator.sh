# generate CONTRACT LANGUAGE [OPTION...] generates a client of the contract's document in a folder
# with its name.
version=7.25.0
jar=$CACHE/openapi-generator-cli-$version.jar
if [ ! -f "$jar" ]; then
	curl -sSf -o "$jar.part" "https://repo1.maven.org/maven2/org/openapitools/openapi-generator-cli/$version/openapi-generator-cli-$version.jar"
	mv "$jar.part" "$jar"
fi

generate() {
	contract=$1 language=$2
	shift 2
	java -jar "$jar" generate -g "$language" -i "documents/$contract.json" -o "$contract" "$@" >log 2>&1 || { cat log; return 1; }
}
