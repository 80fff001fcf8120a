"""Names of months and weekdays in the languages that mail programs write (Unicode CLDR).

A name is looked up whole, without its accents and dots; a beginning of three letters or more will
do where no other month begins so. What is November in Prague is October in Zagreb (``listopad``):
each name means a set of months, and who asks sees whether one is left.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Wide and abbreviated names, as they stand in a date and alone: one group a month.
_MONTHS = """
en: january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep
    october/oct november/nov december/dec
de: januar/jan/jänner februar/feb/feber märz/mär/mrz/maerz april/apr mai juni/jun juli/jul
    august/aug september/sept/sep oktober/okt november/nov dezember/dez
fr: janvier/janv février/févr mars avril/avr mai juin juillet/juil août septembre/sept octobre/oct
    novembre/nov décembre/déc
es: enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago
    septiembre/sept/setiembre/set octubre/oct noviembre/nov diciembre/dic
it: gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago
    settembre/set ottobre/ott novembre/nov dicembre/dic
pt: janeiro/jan fevereiro/fev março/mar abril/abr maio/mai junho/jun julho/jul agosto/ago
    setembro/set outubro/out novembro/nov dezembro/dez
nl: januari/jan februari/feb maart/mrt april/apr mei juni/jun juli/jul augustus/aug september/sep
    oktober/okt november/nov december/dec
af: januarie/jan februarie/feb maart/mrt april/apr mei junie/jun julie/jul augustus/aug
    september/sep oktober/okt november/nov desember/des
sv: januari/jan februari/feb mars april/apr maj juni juli augusti/aug september/sep oktober/okt
    november/nov december/dec
da: januar/jan februar/feb marts/mar april/apr maj juni/jun juli/jul august/aug september/sep
    oktober/okt november/nov december/dec
nb: januar/jan februar/feb mars/mar april/apr mai juni/jun juli/jul august/aug september/sep
    oktober/okt november/nov desember/des
nn: januar/jan februar/feb mars/mar april/apr mai juni/jun juli/jul august/aug september/sep
    oktober/okt november/nov desember/des
fi: tammikuuta/tammi/tammikuu helmikuuta/helmi/helmikuu maaliskuuta/maalis/maaliskuu
    huhtikuuta/huhti/huhtikuu toukokuuta/touko/toukokuu kesäkuuta/kesä/kesäkuu
    heinäkuuta/heinä/heinäkuu elokuuta/elo/elokuu syyskuuta/syys/syyskuu lokakuuta/loka/lokakuu
    marraskuuta/marras/marraskuu joulukuuta/joulu/joulukuu
et: jaanuar/jaan veebruar/veebr märts aprill/apr mai juuni juuli august/aug september/sept
    oktoober/okt november/nov detsember/dets
lv: janvāris/janv februāris/febr marts aprīlis/apr maijs jūnijs/jūn jūlijs/jūl augusts/aug
    septembris/sept oktobris/okt novembris/nov decembris/dec
lt: sausio/saus/sausis vasario/vas/vasaris kovo/kov/kovas balandžio/bal/balandis
    gegužės/geg/gegužė birželio/birž/birželis liepos/liep/liepa rugpjūčio/rugp/rugpjūtis
    rugsėjo/rugs/rugsėjis spalio/spal/spalis lapkričio/lapkr/lapkritis gruodžio/gruod/gruodis
pl: stycznia/sty/styczeń lutego/lut/luty marca/mar/marzec kwietnia/kwi/kwiecień maja/maj
    czerwca/cze/czerwiec lipca/lip/lipiec sierpnia/sie/sierpień września/wrz/wrzesień
    października/paź/październik listopada/lis/listopad grudnia/gru/grudzień
cs: ledna/led/leden února/úno/únor března/bře/březen dubna/dub/duben května/kvě/květen
    června/čvn/červen července/čvc/červenec srpna/srp/srpen září/zář října/říj/říjen
    listopadu/lis/listopad prosince/pro/prosinec
sk: januára/jan/január februára/feb/február marca/mar/marec apríla/apr/apríl mája/máj júna/jún
    júla/júl augusta/aug/august septembra/sep/september októbra/okt/október novembra/nov/november
    decembra/dec/december
sl: januar/jan februar/feb marec/mar april/apr maj junij/jun julij/jul avgust/avg september/sep
    oktober/okt november/nov december/dec
hr: siječnja/sij/siječanj veljače/velj/veljača ožujka/ožu/ožujak travnja/tra/travanj
    svibnja/svi/svibanj lipnja/lip/lipanj srpnja/srp/srpanj kolovoza/kol/kolovoz rujna/ruj/rujan
    listopada/lis/listopad studenoga/stu/studeni prosinca/pro/prosinac
sr: јануар/јан фебруар/феб март/мар април/апр мај јун јул август/авг септембар/сеп октобар/окт
    новембар/нов децембар/дец
sr_Latn: januar/jan februar/feb mart/mar april/apr maj jun jul avgust/avg septembar/sep
    oktobar/okt novembar/nov decembar/dec
bs: januar/jan februar/feb mart/mar april/apr maj juni/jun juli/jul august/aug septembar/sep
    oktobar/okt novembar/nov decembar/dec
mk: јануари/јан февруари/фев март/мар април/апр мај јуни/јун јули/јул август/авг септември/сеп
    октомври/окт ноември/ное декември/дек
bg: януари/яну февруари/фев март април/апр май юни юли август/авг септември/сеп октомври/окт
    ноември/ное декември/дек
ru: января/янв/январь февраля/февр/февраль марта/мар/март апреля/апр/апрель мая/май июня/июн/июнь
    июля/июл/июль августа/авг/август сентября/сент/сентябрь октября/окт/октябрь ноября/нояб/ноябрь
    декабря/дек/декабрь
uk: січня/січ/січень лютого/лют/лютий березня/бер/березень квітня/квіт/квітень травня/трав/травень
    червня/черв/червень липня/лип/липень серпня/серп/серпень вересня/вер/вересень
    жовтня/жовт/жовтень листопада/лист/листопад грудня/груд/грудень
be: студзеня/сту/студзень лютага/лют/люты сакавіка/сак/сакавік красавіка/кра/красавік мая/май
    чэрвеня/чэр/чэрвень ліпеня/ліп/ліпень жніўня/жні/жнівень верасня/вер/верасень
    кастрычніка/кас/кастрычнік лістапада/ліс/лістапад снежня/сне/снежань
ro: ianuarie/ian februarie/feb martie/mar aprilie/apr mai iunie/iun iulie/iul august/aug
    septembrie/sept octombrie/oct noiembrie/nov decembrie/dec
hu: január/jan február/febr március/márc április/ápr május/máj június/jún július/júl augusztus/aug
    szeptember/szept október/okt november/nov december/dec
el: ιανουαρίου/ιαν/ιανουάριος φεβρουαρίου/φεβ/φεβρουάριος μαρτίου/μαρ/μάρτιος
    απριλίου/απρ/απρίλιος μαΐου/μαΐ/μάιος ιουνίου/ιουν/ιούνιος ιουλίου/ιουλ/ιούλιος
    αυγούστου/αυγ/αύγουστος σεπτεμβρίου/σεπ/σεπτέμβριος οκτωβρίου/οκτ/οκτώβριος
    νοεμβρίου/νοε/νοέμβριος δεκεμβρίου/δεκ/δεκέμβριος
tr: ocak/oca şubat/şub mart/mar nisan/nis mayıs/may haziran/haz temmuz/tem ağustos/ağu eylül/eyl
    ekim/eki kasım/kas aralık/ara
sq: janar/jan shkurt/shk mars/mar prill/pri maj qershor/qer korrik/korr gusht/gush shtator/sht
    tetor/tet nëntor/nën dhjetor/dhj
hy: հունվարի/հնվ/հունվար փետրվարի/փտվ/փետրվար մարտի/մրտ/մարտ ապրիլի/ապր/ապրիլ մայիսի/մյս/մայիս
    հունիսի/հնս/հունիս հուլիսի/հլս/հուլիս օգոստոսի/օգս/օգոստոս սեպտեմբերի/սեպ/սեպտեմբեր
    հոկտեմբերի/հոկ/հոկտեմբեր նոյեմբերի/նոյ/նոյեմբեր դեկտեմբերի/դեկ/դեկտեմբեր
ka: იანვარი/იან თებერვალი/თებ მარტი/მარ აპრილი/აპრ მაისი/მაი ივნისი/ივნ ივლისი/ივლ აგვისტო/აგვ
    სექტემბერი/სექ ოქტომბერი/ოქტ ნოემბერი/ნოე დეკემბერი/დეკ
he: ינואר/ינו פברואר/פבר מרץ אפריל/אפר מאי יוני יולי אוגוסט/אוג ספטמבר/ספט אוקטובר/אוק נובמבר/נוב
    דצמבר/דצמ
ar: يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
id: januari/jan februari/feb maret/mar april/apr mei juni/jun juli/jul agustus/agu september/sep
    oktober/okt november/nov desember/des
ms: januari/jan februari/feb mac april/apr mei jun julai/jul ogos/ogo september/sep oktober/okt
    november/nov disember/dis
th: มกราคม/ม.ค กุมภาพันธ์/ก.พ มีนาคม/มี.ค เมษายน/เม.ย พฤษภาคม/พ.ค มิถุนายน/มิ.ย กรกฎาคม/ก.ค
    สิงหาคม/ส.ค กันยายน/ก.ย ตุลาคม/ต.ค พฤศจิกายน/พ.ย ธันวาคม/ธ.ค
hi: जनवरी/जन फ़रवरी/फ़र मार्च अप्रैल मई जून जुलाई/जुल अगस्त/अग सितंबर/सित अक्टूबर/अक्टू नवंबर/नव
    दिसंबर/दिस
ca: gener/gen febrer/febr març d’abril/d’abr/abril/abr maig juny juliol/jul d’agost/d’ag/agost/ag
    setembre/set d’octubre/d’oct/octubre/oct novembre/nov desembre/des
eu: urtarrila/urt otsaila/ots martxoa/mar apirila/api maiatza/mai ekaina/eka uztaila/uzt
    abuztua/abu iraila/ira urria/urr azaroa/aza abendua/abe
gl: xaneiro/xan febreiro/feb marzo/mar abril/abr maio xuño xullo/xul agosto/ago setembro/set
    outubro/out novembro/nov decembro/dec
is: janúar/jan febrúar/feb mars/mar apríl/apr maí júní/jún júlí/júl ágúst/ágú september/sep
    október/okt nóvember/nóv desember/des
cy: ionawr/ion chwefror/chwef/chw mawrth/maw ebrill/ebr mai mehefin/meh gorffennaf/gorff/gor awst
    medi hydref/hyd tachwedd/tach rhagfyr/rhag
mt: jannar/jan frar/fra marzu/mar april/apr mejju/mej ġunju/ġun lulju/lul awwissu/aww
    settembru/set ottubru/ott novembru/nov diċembru/diċ
sw: januari/jan februari/feb machi/mac aprili/apr mei juni/jun julai/jul agosti/ago septemba/sep
    oktoba/okt novemba/nov desemba/des
fil: enero/ene pebrero/peb marso/mar abril/abr mayo/may hunyo/hun hulyo/hul agosto/ago
    setyembre/set oktubre/okt nobyembre/nob disyembre/dis
kk: қаңтар/қаң ақпан/ақп наурыз/нау сәуір/сәу мамыр/мам маусым/мау шілде/шіл тамыз/там
    қыркүйек/қыр қазан/қаз қараша/қар желтоқсан/жел
uz: yanvar/yan fevral/fev mart/mar aprel/apr may iyun/iyn iyul/iyl avgust/avg sentabr/sen
    oktabr/okt noyabr/noy dekabr/dek
fa: ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر
bn: জানুয়ারি/জানু ফেব্রুয়ারি/ফেব মার্চ এপ্রিল/এপ্রি মে জুন জুলাই/জুল আগস্ট/আগ
    সেপ্টেম্বর/সেপ/সেপ্ট অক্টোবর/অক্টো নভেম্বর/নভে ডিসেম্বর/ডিসে
ta: ஜனவரி/ஜன பிப்ரவரி/பிப் மார்ச்/மார் ஏப்ரல்/ஏப் மே ஜூன் ஜூலை ஆகஸ்ட்/ஆக செப்டம்பர்/செப்
    அக்டோபர்/அக் நவம்பர்/நவ டிசம்பர்/டிச
te: జనవరి/జన ఫిబ్రవరి/ఫిబ్ర మార్చి ఏప్రిల్/ఏప్రి మే జూన్ జులై ఆగస్టు/ఆగ సెప్టెంబర్/సెప్టెం
    అక్టోబర్/అక్టో నవంబర్/నవం డిసెంబర్/డిసెం
mr: जानेवारी/जाने फेब्रुवारी/फेब्रु मार्च एप्रिल/एप्रि मे जून जुलै ऑगस्ट/ऑग सप्टेंबर/सप्टें
    ऑक्टोबर/ऑक्टो नोव्हेंबर/नोव्हें डिसेंबर/डिसें
ur: جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر
kn: ಜನವರಿ/ಜನ ಫೆಬ್ರವರಿ/ಫೆಬ್ರ ಮಾರ್ಚ್ ಏಪ್ರಿಲ್/ಏಪ್ರಿ ಮೇ ಜೂನ್ ಜುಲೈ ಆಗಸ್ಟ್/ಆಗ ಸೆಪ್ಟೆಂಬರ್/ಸೆಪ್ಟೆಂ
    ಅಕ್ಟೋಬರ್/ಅಕ್ಟೋ ನವೆಂಬರ್/ನವೆಂ ಡಿಸೆಂಬರ್/ಡಿಸೆಂ
gu: જાન્યુઆરી/જાન્યુ ફેબ્રુઆરી/ફેબ્રુ માર્ચ એપ્રિલ મે જૂન જુલાઈ ઑગસ્ટ સપ્ટેમ્બર/સપ્ટે ઑક્ટોબર/ઑક્ટો
    નવેમ્બર/નવે ડિસેમ્બર/ડિસે
pa: ਜਨਵਰੀ/ਜਨ ਫ਼ਰਵਰੀ/ਫ਼ਰ ਮਾਰਚ ਅਪ੍ਰੈਲ/ਅਪ੍ਰੈ ਮਈ ਜੂਨ ਜੁਲਾਈ/ਜੁਲਾ ਅਗਸਤ/ਅਗ ਸਤੰਬਰ/ਸਤੰ ਅਕਤੂਬਰ/ਅਕਤੂ ਨਵੰਬਰ/ਨਵੰ
    ਦਸੰਬਰ/ਦਸੰ
ml: ജനുവരി/ജനു ഫെബ്രുവരി/ഫെബ്രു മാർച്ച്/മാർ ഏപ്രിൽ/ഏപ്രി മേയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ്/ഓഗ
    സെപ്റ്റംബർ/സെപ്റ്റം ഒക്‌ടോബർ/ഒക്ടോ നവംബർ/നവം ഡിസംബർ/ഡിസം
or: ଜାନୁଆରୀ ଫେବୃଆରୀ ମାର୍ଚ୍ଚ ଅପ୍ରେଲ ମଇ ଜୁନ ଜୁଲାଇ ଅଗଷ୍ଟ ସେପ୍ଟେମ୍ବର ଅକ୍ଟୋବର ନଭେମ୍ବର ଡିସେମ୍ବର
si: දුරුතු නවම් මැදින් බක් වෙසක් පොසොන් ඇසළ නිකිණි බිනර වප් ඉල් උඳුවප්
ne: जनवरी फेब्रुअरी मार्च अप्रिल मे जुन जुलाई अगस्ट सेप्टेम्बर अक्टोबर नोभेम्बर डिसेम्बर
my: ဇန်နဝါရီ/ဇန် ဖေဖော်ဝါရီ/ဖေ မတ် ဧပြီ/ဧ မေ ဇွန် ဇူလိုင်/ဇူ ဩဂုတ်/ဩ စက်တင်ဘာ/စက် အောက်တိုဘာ/အောက်
    နိုဝင်ဘာ/နို ဒီဇင်ဘာ/ဒီ
km: មករា កុម្ភៈ មីនា មេសា ឧសភា មិថុនា កក្កដា សីហា កញ្ញា តុលា វិច្ឆិកា ធ្នូ
lo: ມັງກອນ/ມ.ກ ກຸມພາ/ກ.ພ ມີນາ/ມ.ນ ເມສາ/ມ.ສ ພຶດສະພາ/ພ.ພ ມິຖຸນາ/ມິ.ຖ ກໍລະກົດ/ກ.ລ ສິງຫາ/ສ.ຫ ກັນຍາ/ກ.ຍ
    ຕຸລາ/ຕ.ລ ພະຈິກ/ພ.ຈ ທັນວາ/ທ.ວ
am: ጃንዋሪ/ጃን ፌብሩዋሪ/ፌብ ማርች ኤፕሪል/ኤፕሪ ሜይ ጁን ጁላይ ኦገስት/ኦገስ ሴፕቴምበር/ሴፕቴ ኦክቶበር/ኦክቶ ኖቬምበር/ኖቬም ዲሴምበር/ዲሴም
ky: январь/янв февраль/фев март/мар апрель/апр май июнь/июн июль/июл август/авг сентябрь/сен
    октябрь/окт ноябрь/ноя декабрь/дек
tg: январ/янв феврал/фев март/мар апрел/апр май июн июл август/авг сентябр/сен октябр/окт ноябр/ноя
    декабр/дек
zh: 一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月
"""
# From Monday on.
_WEEKDAYS = """
en: monday/mon/mo tuesday/tue/tu wednesday/wed/we thursday/thu/th friday/fri/fr saturday/sat/sa
    sunday/sun/su
de: montag/mo dienstag/di mittwoch/mi donnerstag/do freitag/fr samstag/sa sonntag/so
fr: lundi/lun/lu mardi/mar/ma mercredi/mer/me jeudi/jeu/je vendredi/ven/ve samedi/sam/sa
    dimanche/dim/di
es: lunes/lun/lu martes/mar/ma miércoles/mié/mi jueves/jue/ju viernes/vie/vi sábado/sáb/sa
    domingo/dom/do
it: lunedì/lun martedì/mar mercoledì/mer giovedì/gio venerdì/ven sabato/sab domenica/dom
pt: segunda-feira/seg terça-feira/ter quarta-feira/qua quinta-feira/qui sexta-feira/sex sábado/sáb
    domingo/dom
nl: maandag/ma dinsdag/di woensdag/wo donderdag/do vrijdag/vr zaterdag/za zondag/zo
af: maandag/ma dinsdag/di woensdag/wo donderdag/do vrydag/vr saterdag/sa sondag/so
sv: måndag/mån/må tisdag/tis/ti onsdag/ons/on torsdag/tors/to fredag/fre/fr lördag/lör/lö
    söndag/sön/sö
da: mandag/man/ma tirsdag/tirs/ti onsdag/ons/on torsdag/tors/to fredag/fre/fr lørdag/lør/lø
    søndag/søn/sø
nb: mandag/man/ma tirsdag/tir/ti onsdag/ons/on torsdag/tor/to fredag/fre/fr lørdag/lør/lø
    søndag/søn/sø
nn: måndag/må tysdag/ty onsdag/on torsdag/to fredag/fr laurdag/la søndag/sø
fi: maanantaina/ma/maanantai tiistaina/ti/tiistai keskiviikkona/ke/keskiviikko
    torstaina/to/torstai perjantaina/pe/perjantai lauantaina/la/lauantai sunnuntaina/su/sunnuntai
et: esmaspäev teisipäev kolmapäev neljapäev reede laupäev pühapäev
lv: pirmdiena/pirmd/pr otrdiena/otrd/ot trešdiena/trešd/tr ceturtdiena/ceturtd/ce
    piektdiena/piektd/pk sestdiena/sestd/se svētdiena/svētd/sv
lt: pirmadienis/pr antradienis/an trečiadienis/tr ketvirtadienis/kt penktadienis/pn šeštadienis/št
    sekmadienis/sk
pl: poniedziałek/pon wtorek/wt/wto środa/śr/śro czwartek/czw piątek/pt/pią sobota/sob
    niedziela/niedz/nie
cs: pondělí/po úterý/út středa/st čtvrtek/čt pátek/pá sobota/so neděle/ne
sk: pondelok/po utorok/ut streda/st štvrtok/št piatok/pi sobota/so nedeľa/ne
sl: ponedeljek/pon torek/tor sreda/sre četrtek/čet petek/pet sobota/sob nedelja/ned
hr: ponedjeljak/pon utorak/uto srijeda/sri četvrtak/čet petak/pet subota/sub nedjelja/ned
sr: понедељак/пон/по уторак/уто/ут среда/сре/ср четвртак/чет/че петак/пет/пе субота/суб/су
    недеља/нед/не
sr_Latn: ponedeljak/pon/po utorak/uto/ut sreda/sre/sr četvrtak/čet/če petak/pet/pe subota/sub/su
    nedelja/ned/ne
bs: ponedjeljak/pon utorak/uto srijeda/sri četvrtak/čet petak/pet subota/sub nedjelja/ned
mk: понеделник/пон вторник/вто среда/сре четврток/чет петок/пет сабота/саб недела/нед
bg: понеделник/пн вторник/вт сряда/ср четвъртък/чт петък/пт събота/сб неделя/нд
ru: понедельник/пн вторник/вт среда/ср четверг/чт пятница/пт суббота/сб воскресенье/вс
uk: понеділок/пн вівторок/вт середа/ср четвер/чт пʼятниця/пт субота/сб неділя/нд
be: панядзелак/пн аўторак/аў серада/ср чацвер/чц пятніца/пт субота/сб нядзеля/нд
ro: luni/lun/lu marți/mar/ma miercuri/mie/mi joi vineri/vin/vi sâmbătă/sâm/sâ duminică/dum/du
hu: hétfő kedd szerda/sze csütörtök/cs péntek szombat/szo vasárnap
el: δευτέρα/δευ/δε τρίτη/τρί/τρ τετάρτη/τετ/τε πέμπτη/πέμ/πέ παρασκευή/παρ/πα σάββατο/σάβ/σά
    κυριακή/κυρ/κυ
tr: pazartesi/pzt/pt salı/sal/sa çarşamba/çar/ça perşembe/per/pe cuma/cum/cu cumartesi/cmt/ct
    pazar/paz/pa
sq: hënë/hën martë/mar mërkurë/mër enjte/enj premte/pre shtunë/sht diel/die
hy: երկուշաբթի/երկ/եկ երեքշաբթի/երք/եք չորեքշաբթի/չրք/չք հինգշաբթի/հնգ/հգ ուրբաթ/ուր/ու
    շաբաթ/շբթ/շբ կիրակի/կիր/կր
ka: ორშაბათი/ორშ/ორ სამშაბათი/სამ/სმ ოთხშაბათი/ოთხ/ოთ ხუთშაბათი/ხუთ/ხთ პარასკევი/პარ/პრ
    შაბათი/შაბ/შბ კვირა/კვი/კვ
he: שני/ב שלישי/ג רביעי/ד חמישי/ה שישי/ו שבת/ש ראשון/א
ar: الاثنين/إثنين الثلاثاء/ثلاثاء الأربعاء/أربعاء الخميس/خميس الجمعة/جمعة السبت/سبت الأحد/أحد
id: senin/sen selasa/sel rabu/rab kamis/kam jumat/jum sabtu/sab minggu/min
ms: isnin/isn/is selasa/sel/se rabu/rab/ra khamis/kha/kh jumaat/jum/ju sabtu/sab/sa ahad/ahd/ah
th: จันทร์/จ อังคาร/อ พุธ/พ พฤหัสบดี/พฤหัส/พฤ ศุกร์/ศ เสาร์/ส อาทิตย์/อา
hi: सोमवार/सोम/सो मंगलवार/मंगल/मं बुधवार/बुध/बु गुरुवार/गुरु/गु शुक्रवार/शुक्र/शु शनिवार/शनि/श
    रविवार/रवि/र
ca: dilluns/dl dimarts/dt dimecres/dc dijous/dj divendres/dv dissabte/ds diumenge/dg
eu: astelehena/al asteartea/ar asteazkena/az osteguna/og ostirala/or larunbata/lr igandea/ig
gl: luns/lu martes/mar/ma mércores/mér/mé xoves/xov/xo venres/ven/ve sábado/sáb/sá domingo/dom/do
is: mánudagur/mán/má þriðjudagur/þri/þr miðvikudagur/mið/mi fimmtudagur/fim/fi föstudagur/fös/fö
    laugardagur/lau/la sunnudagur/sun/su
cy: llun/ll mawrth/maw/ma mercher/mer/me iau/ia gwener/gwen/gw/gwe sadwrn/sad/sa sul/su
mt: it-tnejn/tne it-tlieta/tli l-erbgħa/erb il-ħamis/ħam il-ġimgħa/ġim is-sibt/sib il-ħadd/ħad
sw: jumatatu jumanne jumatano alhamisi ijumaa jumamosi jumapili
fil: lunes/lun martes/mar miyerkules/miy huwebes/huw biyernes/biy sabado/sab linggo/lin
kk: дүйсенбі/дс сейсенбі/сс сәрсенбі/ср бейсенбі/бс жұма/жм сенбі/сб жексенбі/жс
uz: dushanba/dush/du seshanba/sesh/se chorshanba/chor/ch payshanba/pay/pa juma/jum/ju
    shanba/shan/sh yakshanba/yak/ya
fa: دوشنبه/۲ش سه‌شنبه/۳ش چهارشنبه/۴ش پنجشنبه/۵ش جمعه/ج شنبه/ش یکشنبه/۱ش
bn: সোমবার/সোম/সোঃ মঙ্গলবার/মঙ্গল/মঃ বুধবার/বুধ/বুঃ বৃহস্পতিবার/বৃহস্পতি/বৃঃ শুক্রবার/শুক্র/শুঃ
    শনিবার/শনি রবিবার/রবি/রঃ
ta: திங்கள்/திங்/தி செவ்வாய்/செவ்/செ புதன்/புத/பு வியாழன்/வியா/வி வெள்ளி/வெள்/வெ சனி/ச
    ஞாயிறு/ஞாயி/ஞா
te: సోమవారం/సోమ మంగళవారం/మంగళ/మం బుధవారం/బుధ గురువారం/గురు శుక్రవారం/శుక్ర శనివారం/శని ఆదివారం/ఆది
mr: सोमवार/सोम/सो मंगळवार/मंगळ/मं बुधवार/बुध/बु गुरुवार/गुरु/गु शुक्रवार/शुक्र/शु शनिवार/शनि/श
    रविवार/रवि/र
ur: پیر منگل بدھ جمعرات جمعہ ہفتہ اتوار
kn: ಸೋಮವಾರ/ಸೋಮ ಮಂಗಳವಾರ/ಮಂಗಳ ಬುಧವಾರ/ಬುಧ ಗುರುವಾರ/ಗುರು ಶುಕ್ರವಾರ/ಶುಕ್ರ ಶನಿವಾರ/ಶನಿ ಭಾನುವಾರ/ಭಾನು
gu: સોમવાર/સોમ મંગળવાર/મંગળ બુધવાર/બુધ ગુરુવાર/ગુરુ શુક્રવાર/શુક્ર શનિવાર/શનિ રવિવાર/રવિ
pa: ਸੋਮਵਾਰ/ਸੋਮ ਮੰਗਲਵਾਰ/ਮੰਗਲ ਬੁੱਧਵਾਰ/ਬੁੱਧ ਵੀਰਵਾਰ/ਵੀਰ ਸ਼ੁੱਕਰਵਾਰ/ਸ਼ੁੱਕਰ ਸ਼ਨੀਵਾਰ/ਸ਼ਨੀ ਐਤਵਾਰ/ਐਤ
ml: തിങ്കളാഴ്‌ച/തിങ്കൾ ചൊവ്വാഴ്ച/ചൊവ്വ/ചൊവ്വാഴ്‌ച ബുധനാഴ്‌ച/ബുധൻ വ്യാഴാഴ്‌ച/വ്യാഴം
    വെള്ളിയാഴ്‌ച/വെള്ളി ശനിയാഴ്‌ച/ശനി ഞായറാഴ്‌ച/ഞായർ
or: ସୋମବାର/ସୋମ ମଙ୍ଗଳବାର/ମଙ୍ଗଳ ବୁଧବାର/ବୁଧ ଗୁରୁବାର/ଗୁରୁ ଶୁକ୍ରବାର/ଶୁକ୍ର ଶନିବାର/ଶନି ରବିବାର/ରବି
si: සඳුදා අඟහරුවාදා/අඟහ බදාදා බ්‍රහස්පතින්දා/බ්‍රහස් සිකුරාදා/සිකු සෙනසුරාදා/සෙන ඉරිදා
ne: सोमबार/सोम मङ्गलबार/मङ्गल बुधबार/बुध बिहिबार/बिहि शुक्रबार/शुक्र शनिबार/शनि आइतबार/आइत
my: တနင်္လာ အင်္ဂါ ဗုဒ္ဓဟူး ကြာသပတေး သောကြာ စနေ တနင်္ဂနွေ
km: ច័ន្ទ/ចន្ទ អង្គារ ពុធ ព្រហស្បតិ៍/ព្រហ សុក្រ សៅរ៍ អាទិត្យ
lo: ວັນຈັນ/ຈັນ ວັນອັງຄານ/ອັງຄານ ວັນພຸດ/ພຸດ ວັນພະຫັດ/ພະຫັດ ວັນສຸກ/ສຸກ ວັນເສົາ/ເສົາ ວັນອາທິດ/ອາທິດ
am: ሰኞ ማክሰኞ/ማክሰ ረቡዕ ሐሙስ ዓርብ ቅዳሜ እሑድ
ky: дүйшөмбү/дүй шейшемби/шейш шаршемби/шарш бейшемби/бейш жума ишемби/ишм жекшемби/жек
tg: душанбе/дшб сешанбе/сшб чоршанбе/чшб панҷшанбе/пшб ҷумъа/ҷмъ шанбе/шнб якшанбе/яшб
zh: 星期一/周一/週一/礼拜一/禮拜一 星期二/周二/週二/礼拜二/禮拜二 星期三/周三/週三/礼拜三/禮拜三 星期四/周四/週四/礼拜四/禮拜四 星期五/周五/週五/礼拜五/禮拜五
    星期六/周六/週六/礼拜六/禮拜六 星期日/星期天/周日/週日/礼拜日/禮拜日
ja: 月曜日/月曜/月 火曜日/火曜/火 水曜日/水曜/水 木曜日/木曜/木 金曜日/金曜/金 土曜日/土曜/土 日曜日/日曜/日
ko: 월요일/월 화요일/화 수요일/수 목요일/목 금요일/금 토요일/토 일요일/일
"""
_LANGUAGE = re.compile(r"^\w+: ", re.MULTILINE)
_LEAST = 3  # letters of a beginning; fewer begin too many words

# Letters that have no accent to take off, and are written without one all the same.
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d"})

Names = dict[str, frozenset[int]]


# Vietnamese counts its weekdays from Monday, the second, and its months; without their accents
# "thứ 2" is an English Thursday the 2nd.
_COUNTED = "hai|ba|tư|năm|sáu|bảy|tám|chín|mười một|mười hai|mười|một"
_VIETNAMESE = re.compile(
    r"\bt(?P<short>[2-7])\b(?!:)|\bth(?:[ứư]\.? ?|\.? ?(?=[2-7],))"
    rf"(?:(?P<day>[2-7])\b|(?P<name>{_COUNTED})\b)"
    rf"|\b(?:tháng|thg)\.? (?P<month>{_COUNTED})\b|\b(?P<sunday>chủ nhật|cn)\b"
)
_NUMBERS = {
    name: number
    for number, name in enumerate(
        ["một", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười"], 1
    )
} | {"mười một": 11, "mười hai": 12}
_ENGLISH = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


def without_counts(text: str) -> str:
    """Write Vietnamese weekdays in English, and months that are numbers as digits."""
    text = unicodedata.normalize("NFC", text.lower())
    return _VIETNAMESE.sub(_in_english, text)


def _in_english(match: re.Match[str]) -> str:
    if match["sunday"]:
        return "sunday"
    if match["month"]:
        return f"tháng {_NUMBERS[match['month']]}"
    number = int(match["short"] or match["day"] or _NUMBERS[match["name"]])
    return _ENGLISH[number - 2] if 2 <= number <= 7 else match[0]  # noqa: PLR2004 -- to Saturday


def folded(text: str, *, keep_case: bool = False) -> str:
    """Return text in small letters without accents; digits as ASCII."""
    spread = unicodedata.normalize("NFKD", text if keep_case else text.lower().translate(_LETTERS))
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() else char
        for char in spread
        if not unicodedata.combining(char) and char not in "׳॰'’ʼ\u200c\u200e\u200f"
    )


def months(word: str) -> frozenset[int]:
    """Return which months, 1 to 12, a folded word may name."""
    return _find(word, _table(_MONTHS, 1))


def weekdays(word: str) -> frozenset[int]:
    """Return which weekdays, 0 to 6 from Monday on, a folded word may name."""
    return _find(word, _table(_WEEKDAYS, 0))


def _find(word: str, tables: tuple[Names, Names]) -> frozenset[int]:
    whole, beginnings = tables
    return whole.get(word) or beginnings.get(word) or frozenset()


@cache
def _table(names: str, first: int) -> tuple[Names, Names]:
    """Return the numbers of each whole name, and of each beginning of one."""
    whole: Names = {}
    beginnings: Names = {}
    for language in _LANGUAGE.split(names)[1:]:
        for number, group in enumerate(language.split(), first):
            for name in folded(group).replace(".", "").split("/"):
                whole[name] = whole.get(name, frozenset()) | {number}
                for end in range(_LEAST, len(name)):
                    known = beginnings.get(name[:end], frozenset())
                    beginnings[name[:end]] = known | {number}
    return whole, beginnings
