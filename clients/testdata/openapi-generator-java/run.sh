. "$TESTDATA/openapi-generator.sh"
for contract in native elw lochting; do
	generate $contract java --invoker-package api_$contract --api-package api_$contract --model-package api_$contract.model
done
mvn -q -B -f native/pom.xml dependency:copy-dependencies -DincludeScope=compile -DoutputDirectory="$PWD/libraries"
find . -path '*/src/main/java/*' -name '*.java' >sources
javac -nowarn -cp 'libraries/*' -d classes @sources Main.java
java -ea -cp 'classes:libraries/*' Main
