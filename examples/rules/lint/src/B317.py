import xml.sax

xml.sax.parseString(body, reader)

