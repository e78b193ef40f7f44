import xml.sax.expatreader

xml.sax.expatreader.create_parser()

